"""The DICOM library, loaded with a clear word where the surroundings break it."""

from grading.errors import ConfigurationError

try:
    import pydicom
    from pydicom.encaps import get_frame
    from pydicom.pixels.utils import pixel_array
except AttributeError as error:  # its decoder package imports a standard module named 'dl'
    raise ConfigurationError(
        "a file or folder named 'dl' in the working directory hides a Python module that the DICOM "
        "decoders need; run the command from another directory"
    ) from error

__all__ = ["get_frame", "pixel_array", "pydicom"]
