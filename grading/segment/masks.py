"""Masks a user brings: label maps in a known scheme, matched to studies and checked against their grid."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.anatomy import GLUTEI, Side, label_of
from grading.errors import ConfigurationError, GridMismatchError, SegmentationError
from grading.findings import Finding
from grading.io.nifti import read_labels
from grading.resample import resample
from grading.segment.schemes import BUILT_IN, GLUTEAL_LABELS, LabelScheme, best_fit, load_schemes
from grading.volume import Geometry, LabelArray, Segmentation, Volume
from grading.wording import listed

NOT_OUTLINED = 65535  # "nobody looked here" in partly outlined label maps: neither a muscle nor none
_FINER = 1.01  # a mask voxel may exceed the image's by header rounding and still count as not coarser
_END_SHARE = 0.25  # of a muscle's largest section, at the end of a label map: beyond less lies 1 % of it
_LISTED = 8  # numbers spelt out in a message before "and n more"

_ENDING = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_MASK_WORD = r"(?:d?seg|segmentations?|masks?|labels?|labelmap|muscles?|glutei)"


class MasksSegmenter:
    """Takes the labels from a label map that the user brings. Confidence is 1 everywhere.

    A folder is searched, at any depth, for the study's label map:

    1. `<study>_seg.nii.gz`; also `_dseg`, `_mask`, `_labels`, `_segmentation`, with BIDS entities between;
    2. `<study>/segmentation.nii.gz`; also `seg`, `dseg`, `mask`, `labels`, with any words before;
    3. `<study>.nii.gz`.

    The first of these kinds that is there is used; two of one kind are refused, never guessed between.

    A label map on the image's grid is used as it is, in whatever axis order it was stored. One on another
    grid is resampled (nearest neighbour) when asked to, and without asking only where nothing can be lost:
    it fills the same box as the image to half an image voxel and its voxels are nowhere larger. Either way
    the finding `mask_resampled` says so, with the gluteal volume before and after.
    """

    def __init__(
        self,
        masks: Path,
        scheme: str = "musclemap",
        *,
        study_name: str | None = None,
        resample: bool = False,
    ) -> None:
        """Check the request.

        Args:
            masks: one label map, or a folder of them.
            scheme: "musclemap", "totalsegmentator", "total_mr", "total", or a scheme file (see `schemes`).
            study_name: the study whose label map is wanted; needed where `masks` is a folder.
            resample: whether a label map on any other grid may be resampled onto the image's.

        Raises:
            ConfigurationError: `masks` is not there or not NIfTI, the scheme is unknown, or a folder comes
                without a study name.
        """
        self._masks = Path(masks)
        self._schemes = require_label_maps(self._masks, scheme)
        self._study_name = study_name
        self._resample = resample
        if self._masks.is_dir() and not study_name:
            raise ConfigurationError(
                "a folder of label maps is matched by study name, and none was given; name one label map"
            )

    def __call__(self, volume: Volume) -> Segmentation:
        """Labels of the user's map on the grid of `volume`.

        Raises:
            SegmentationError: the folder holds no label map of the study, or several; or no label is a
                gluteal muscle in this scheme, or none of them lies inside the image.
            GridMismatchError: the grids differ and resampling was neither allowed nor free of loss.
        """
        path = self._masks
        if path.is_dir():
            path = find_label_map(path, str(self._study_name))
        raw, grid = read_labels(path, "the label map")  # its own name may be the patient's
        return segmentation_from_labels(raw, grid, volume, self._schemes, resample_allowed=self._resample)


def require_label_maps(masks: Path, scheme: str) -> tuple[LabelScheme, ...]:
    """The schemes that label maps may be in, once it is clear that there can be label maps.

    Raises:
        ConfigurationError: `masks` is not there or not NIfTI, or the scheme is unknown or unusable.
    """
    if not masks.exists():
        raise ConfigurationError(f"no label map or folder at {masks}; check the path")
    if masks.is_file() and not _ENDING.search(masks.name):
        raise ConfigurationError(f"{masks.name}: a label map must be NIfTI (.nii or .nii.gz)")
    return load_schemes(str(scheme))


def segmentation_from_labels(
    raw: LabelArray,
    grid: Geometry,
    volume: Volume,
    schemes: tuple[LabelScheme, ...],
    *,
    resample_allowed: bool = False,
) -> Segmentation:
    """The label map `raw` on `grid`, in one of `schemes`, as a segmentation on the grid of `volume`.

    Raises:
        SegmentationError: no gluteal label, or none inside the image.
        GridMismatchError: the grids differ and resampling was neither allowed nor free of loss.
    """
    counts = _counts(raw)
    scheme = best_fit(schemes, counts)
    if not scheme.gluteal_numbers & counts.keys():
        raise SegmentationError(_no_gluteal_label(scheme, counts))
    lookup = np.zeros(NOT_OUTLINED + 1, dtype=np.uint16)
    lookup[list(scheme.labels)] = list(scheme.labels.values())
    labels: LabelArray = lookup[raw]
    findings = []
    if unnamed := scheme.unnamed(counts):
        strangers = _with_voxels({number: counts[number] for number in unnamed})
        findings.append(Finding("unknown_labels", f"not in scheme {scheme.name}: {strangers}"))
    if skipped := int(np.count_nonzero(raw == NOT_OUTLINED)):
        detail = f"{100 * skipped / raw.size:.0f} % of the label map's voxels are {NOT_OUTLINED}"
        findings.append(Finding("partly_outlined", detail))
    if not grid.same_grid(volume.geometry):
        if not (resample_allowed or loses_nothing(grid, volume.geometry)):
            raise GridMismatchError(_mismatch(grid, volume.geometry))
        before_ml = _gluteal_ml(labels, grid)
        labels = np.asarray(resample(labels, grid, volume.geometry, order=0), dtype=np.uint16)
        after_ml = _gluteal_ml(labels, volume.geometry)
        if after_ml == 0:
            raise SegmentationError(
                f"none of the label map's {before_ml:.0f} mL of gluteal muscle lies inside the image; "
                "it belongs to another image or its affine is wrong"
            )
        findings.append(
            Finding(
                "mask_resampled",
                f"from {_describe(grid)} to {_describe(volume.geometry)}, nearest neighbour; "
                f"gluteal labels {before_ml:.1f} mL before, {after_ml:.1f} mL after",
            )
        )
        if _ends_within_muscle(labels, grid, volume.geometry):
            detail = "the label map ends within a muscle where the image goes on"
            findings.append(Finding("partly_outlined", detail))
    if swapped := _swapped_mm(labels, volume.geometry):
        findings.append(Finding("laterality_contradiction", swapped))
    return Segmentation(
        labels=labels,
        geometry=volume.geometry,
        confidence=np.ones(labels.shape, dtype=np.float32),
        method=f"masks: {scheme.name}",
        findings=tuple(findings),
    )


def find_label_map(folder: Path, study_name: str) -> Path:
    """The one label map of a study below `folder`; for the names looked for see `MasksSegmenter`.

    Raises:
        SegmentationError: none, or several of the same kind.
    """
    study = re.escape(study_name)
    image = "(?:_T1w)?" if study_name.startswith("sub-") else ""  # a BIDS study is named without it
    beside = re.compile(rf"{study}(?:_[a-z]+-[a-z0-9]+)*{image}[_.-]{_MASK_WORD}", re.IGNORECASE)
    inside = re.compile(rf"(?:.*[_.-])?{_MASK_WORD}", re.IGNORECASE)
    images = sorted(p for p in folder.rglob("*") if _ENDING.search(p.name) and p.is_file())
    stems = {path: _ENDING.sub("", path.name) for path in images}
    own = [path for path in stems if path.parent.name == study_name]
    for kind, found in (
        (f"{study_name}_seg.nii.gz", [path for path, stem in stems.items() if beside.fullmatch(stem)]),
        (f"{study_name}/segmentation.nii.gz", [path for path in own if inside.fullmatch(stems[path])]),
        (f"{study_name}.nii.gz", [path for path, stem in stems.items() if stem == study_name]),
    ):
        if len(found) == 1:
            return found[0]
        if found:  # their names and folders may name the patient
            raise SegmentationError(
                f"{len(found)} label maps fit study {study_name!r}, each named like {kind}; keep one of them "
                "in the masks folder and those below it"
            )
    raise SegmentationError(
        f"no label map for study {study_name!r} among {len(images)} NIfTI files of the masks folder; "
        f"looked for {study_name}_seg.nii.gz (or _dseg, _mask, _labels, _segmentation), "
        f"{study_name}/segmentation.nii.gz and {study_name}.nii.gz"
    )


def loses_nothing(mask: Geometry, image: Geometry) -> bool:
    """Whether nearest-neighbour resampling of `mask` onto `image` keeps every border where it was drawn.

    True where both fill one box (outer corners within half an image voxel) and no mask voxel is longer than
    the image's: then every image voxel takes the label drawn at its own centre.
    """
    limit_mm = min(image.spacing_mm) / 2
    finer = all(m <= _FINER * i for m, i in zip(mask.spacing_mm, image.spacing_mm, strict=True))
    return finer and float(np.abs(_box_mm(mask) - _box_mm(image)).max()) <= limit_mm


def _box_mm(grid: Geometry) -> npt.NDArray[np.float64]:
    """World coordinates of the eight outer corners (voxel faces, not centres), mm, shape (8, 3)."""
    index = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape], indexing="ij")).reshape(3, -1)
    return np.asarray((grid.affine[:3, :3] @ index).T + grid.affine[:3, 3])


def _counts(raw: LabelArray) -> dict[int, int]:
    """Voxels of each label number that means something."""
    totals = np.bincount(raw.reshape(-1), minlength=1)
    return {int(n): int(totals[n]) for n in np.flatnonzero(totals) if n not in (0, NOT_OUTLINED)}


def _gluteal_ml(labels: LabelArray, grid: Geometry) -> float:
    voxels = np.bincount(labels.reshape(-1), minlength=max(GLUTEAL_LABELS) + 1)[sorted(GLUTEAL_LABELS)].sum()
    return float(voxels) * grid.voxel_volume_ml


def _ends_within_muscle(labels: LabelArray, grid: Geometry, image: Geometry) -> bool:
    """Whether `labels`, resampled from `grid` to the image's, stop at the end of `grid` inside the image."""
    beyond = resample(np.ones(grid.shape, dtype=np.uint8), grid, image, order=0) == 0
    for muscle in (labels == number for number in GLUTEAL_LABELS):
        for axis in range(3):
            along, outside = np.moveaxis(muscle, axis, 0), np.moveaxis(beyond, axis, 0)
            largest = np.count_nonzero(along, axis=(1, 2)).max()
            for last in (along[1:] & outside[:-1], along[:-1] & outside[1:]):
                if largest and np.count_nonzero(last) >= _END_SHARE * largest:
                    return True
    return False


def _swapped_mm(labels: LabelArray, grid: Geometry) -> str:
    """What is wrong where labels named left lie to the right of those named right; empty when nothing is."""
    centre_mm = []
    for side in (Side.RIGHT, Side.LEFT):
        index = np.argwhere(np.isin(labels, [label_of(muscle, side) for muscle in GLUTEI]))
        if not len(index):
            return ""
        centre_mm.append(float(grid.affine[0, :3] @ index.mean(axis=0)))
    wrong_mm = centre_mm[1] - centre_mm[0]  # world x grows towards the patient's right
    return (
        f"labels named left lie {wrong_mm:.0f} mm to the right of those named right" if wrong_mm > 0 else ""
    )


def _describe(grid: Geometry) -> str:
    size, spacing = "×".join(map(str, grid.shape)), "×".join(f"{mm:.2f}" for mm in grid.spacing_mm)
    return f"{size} voxels of {spacing} mm"


def _mismatch(mask: Geometry, image: Geometry) -> str:
    apart_mm = float(np.linalg.norm(_box_mm(mask) - _box_mm(image), axis=1).max())
    return (
        f"the label map has {_describe(mask)}, the image {_describe(image)}, corners up to {apart_mm:.1f} mm "
        "apart; export the label map on the image's grid, or allow resampling (--resample-masks)"
    )


def _no_gluteal_label(scheme: LabelScheme, counts: Mapping[int, int]) -> str:
    if not counts:
        return "the label map is empty: every voxel is 0 or not outlined"
    wanted = ", ".join(map(str, sorted(scheme.gluteal_numbers)))
    fitting = [
        name
        for name, tables in BUILT_IN.items()
        if len(tables) == 1 and load_schemes(name)[0].gluteal_numbers & counts.keys()
    ]
    advice = f"; they would be in scheme {' or '.join(fitting)}" if fitting else ""
    return (
        f"the label map holds {_with_voxels(counts)} and none is a gluteal muscle in scheme {scheme.name} "
        f"({wanted}){advice}; name the scheme with --scheme, which may be a file of your own"
    )


def _with_voxels(counts: Mapping[int, int]) -> str:
    return listed([f"{number} ({voxels} voxels)" for number, voxels in sorted(counts.items())], _LISTED)
