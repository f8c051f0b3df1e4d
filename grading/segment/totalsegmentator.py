"""TotalSegmentator as the segmenter, for those who have it installed (extra `totalsegmentator`).

It is called through its Python API, fetches and keeps its own weights, and names its own labels, which are
matched by name. It sends anonymous usage statistics unless told otherwise: they are switched off in its
configuration before it runs, for good, and the method's name says so. It knows no tensor fasciae latae.
"""

import contextlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping

import nibabel as nib
import numpy as np

from grading.errors import ConfigurationError, SegmentationError
from grading.segment.expected_dice import confidence_of
from grading.segment.masks import segmentation_from_labels
from grading.segment.schemes import scheme_of
from grading.volume import Geometry, LabelArray, Segmentation, Volume

MR_TASK = "total_mr"
TASKS = {"CT": "total"}  # other modalities by their DICOM name
MEAN_DICE = 0.90  # of its glutei on MR, .87 to .94 by muscle and side; it tells no confidence of its own
# [D'Antonoli et al., TotalSegmentator MRI, Radiology 2025]
INSTALL = "pip install 'grading[totalsegmentator]'"


def require_totalsegmentator() -> None:
    """Check, without loading it, that the package is there.

    Raises:
        ConfigurationError: it is not.
    """
    if importlib.util.find_spec("totalsegmentator") is None:
        raise ConfigurationError(
            f"--segmenter totalsegmentator needs the package TotalSegmentator, about 2 GB: {INSTALL}; "
            "without the option the bundled network is used"
        )


class TotalSegmentatorSegmenter:
    """Segments with TotalSegmentator on the processor. Confidence is that of `MEAN_DICE` everywhere."""

    def __call__(self, volume: Volume) -> Segmentation:
        """Glutei, iliopsoas, erector spinae, hip bone, femur and sacrum, on the volume's own grid.

        Raises:
            ConfigurationError: the package, or one that it needs, is not installed.
            SegmentationError: its weights cannot be had, it fails, or it finds no gluteal muscle.
        """
        require_totalsegmentator()
        task = TASKS.get(volume.series.modality, MR_TASK)
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for our own results
            raw, grid, names = _run(volume, task)
        scheme = scheme_of(task, names)
        if not np.isin(raw, list(scheme.gluteal_numbers)).any():
            raise SegmentationError(
                f"series {volume.series.name}: TotalSegmentator found no gluteal muscle; is this a hip or "
                "pelvis?"
            )
        found = segmentation_from_labels(raw, grid, volume, (scheme,))
        version = importlib.metadata.version("TotalSegmentator")
        method = f"TotalSegmentator {version}, task {task}, usage statistics off"
        confidence = np.full(found.labels.shape, confidence_of(MEAN_DICE), dtype=np.float32)
        return Segmentation(found.labels, found.geometry, confidence, method, found.findings)


def _run(volume: Volume, task: str) -> tuple[LabelArray, Geometry, Mapping[int, str]]:
    """Its label map, the grid of that, and the names of its numbers."""
    try:
        from totalsegmentator.config import set_config_key, setup_totalseg
        from totalsegmentator.map_to_binary import class_map
        from totalsegmentator.python_api import totalsegmentator
    except ImportError as error:
        raise _broken(error) from error
    image = nib.Nifti1Image(volume.voxels, volume.geometry.affine)
    try:
        setup_totalseg()
        set_config_key("send_usage_stats", False)
        set_config_key("statistics_disclaimer_shown", True)
        result = totalsegmentator(image, ml=True, task=task, device="cpu", skip_saving=True, quiet=True)
    except ImportError as error:  # it loads half of what it needs only when it runs
        raise _broken(error) from error
    except OSError as error:  # requests' errors are OSErrors too
        raise SegmentationError(
            f"TotalSegmentator cannot get or store its weights of task {task} ({type(error).__name__}: "
            f"{error}); run totalseg_download_weights -t {task} where there is a network, or name the folder "
            "that has them in TOTALSEG_WEIGHTS_PATH"
        ) from error
    except Exception as error:
        raise SegmentationError(
            f"series {volume.series.name}: TotalSegmentator failed ({type(error).__name__}: {error})"
        ) from error
    raw = np.asarray(result.dataobj).astype(np.uint16)
    i, j, k = raw.shape
    return raw, Geometry((i, j, k), np.asarray(result.affine)), class_map[task]


def _broken(error: ImportError) -> ConfigurationError:
    return ConfigurationError(
        f"TotalSegmentator is installed but cannot be loaded ({error}); repair it with {INSTALL}"
    )
