"""Label numbers of what `grading.anatomy` does not name; they appear in phantoms only."""

DEEP_FAT = 9100  # fat and soft tissue between muscles, within the deep fascia
SUBCUTANEOUS_FAT = 9101  # fat under the skin, with the skin
VERTEBRA = 9016  # lumbar vertebrae, discs and spinal canal
BLADDER = 9010
VISCERA = 9011
VESSEL = 9014
