"""From measured values to what people read: tables, JSON, the overview picture, the closing summary."""
