"""From files and folders to studies: what is there, what each image shows, and what will be graded.

Only headers are read (values only of NIfTI files that neither name nor sidecar describes), so a tree of
thousands of files is looked through in seconds. A damaged file or study never hides its neighbours.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grading.errors import SeriesNotFound, UnreadableSeries
from grading.io.bids import common_stem, subject_session, with_partner
from grading.io.choose import choose
from grading.io.dicom import read_dicom
from grading.io.dicom_headers import Instance, read_instance
from grading.io.found import SeriesFound, StudyFound
from grading.io.found_dicom import series_of
from grading.io.found_nifti import series_of_file
from grading.io.hips import by_hip
from grading.io.identity import Identity, safe_name, short_hash
from grading.io.labels import attach_label_maps
from grading.io.left_out import ending_of, left_out, nothing_found
from grading.io.names import clashing, folder_name, is_nifti, nifti_stem, study_name, unique
from grading.io.nifti import read_nifti
from grading.io.walk import walk
from grading.series import Role, SeriesInfo
from grading.volume import Volume

__all__ = ["SeriesFound", "StudyFound", "discover", "load"]

_DIXON = frozenset({Role.WATER, Role.FAT, Role.IN_PHASE, Role.OPPOSED_PHASE, Role.FAT_FRACTION})
_PAIRS = ({Role.WATER, Role.FAT}, {Role.IN_PHASE, Role.OPPOSED_PHASE})  # each is graded together


@dataclass(slots=True)
class _Draft:
    """A study while it is being put together."""

    name: str
    series: list[SeriesFound]
    files: list[Path]
    root: Path
    place: str
    study_uid: str = ""


@dataclass(slots=True)
class _Files:
    """Files by kind, each with the folder that the user pointed at."""

    dicom: list[tuple[Path, Instance]] = field(default_factory=list)
    nifti: list[tuple[Path, Path]] = field(default_factory=list)
    broken: list[tuple[Path, Path, str]] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)


def discover(
    inputs: Sequence[Path],
    *,
    contrast: str = "auto",
    identify: bool = False,
    progress: Callable[[int], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> tuple[StudyFound, ...]:
    """Find every study below `inputs` and decide what of it will be graded.

    Args:
        inputs: files or folders: DICOM series, studies or trees, NIfTI files or folders, BIDS data sets.
        contrast: "auto" (a Dixon pair, else T1), "t1" or "dixon".
        identify: keep folder names that name the patient.
        progress: called after each file with the number of files looked at so far.
        tell: called with a line about archives and other files left out that may hold images.

    Returns:
        Studies sorted by name. One that holds nothing gradable has `problem` set.

    Raises:
        SeriesNotFound: an input does not exist, or there is no image below any of them.
        ConfigurationError: unknown `contrast`.
    """
    choose((), contrast)  # an unknown contrast is refused before the search, not after it
    files = _sort_files([Path(given) for given in inputs], progress)
    drafts, labels = _nifti_studies(files.nifti)
    drafts = _dicom_studies(files, drafts, identify=identify) + drafts
    drafts += _broken_folders(files, drafts, identify=identify)
    drafts = attach_label_maps(drafts, labels, _lone)
    if not drafts:
        raise SeriesNotFound(nothing_found(inputs, files.other))
    if tell is not None and (line := left_out(files.other)):
        tell(line)
    _name_apart(drafts)
    studies: list[StudyFound] = []
    for draft in drafts:
        series = sorted(draft.series, key=lambda s: s.info.name)
        studies += by_hip(draft.name, series, draft.place, contrast)
    studies.sort(key=lambda study: study.name)
    names = unique([study.name for study in studies])
    return tuple(replace(study, name=name) for study, name in zip(studies, names, strict=True))


def load(series: SeriesFound) -> Volume:
    """Read the voxels of a series that was found.

    Raises:
        InputError: what discovery found wrong with it, or what reading its voxels brought to light.
    """
    if series.problem is not None:
        raise series.problem
    if series.frames:
        volume = read_dicom(series.frames, series.info)
    elif series.info.source == "nifti":
        volume = read_nifti(series.files[0], series.info)
    else:
        raise UnreadableSeries(f"series {series.info.name} holds no image ({series.reason})")
    extra = tuple(finding for finding in series.findings if finding not in volume.findings)
    return replace(volume, findings=(*volume.findings, *extra))


def _sort_files(inputs: list[Path], progress: Callable[[int], None] | None) -> _Files:
    """Look at every file once and sort it by kind."""
    files = _Files()
    for count, (root, path) in enumerate(walk(inputs), start=1):
        try:
            if is_nifti(path):
                files.nifti.append((root, path))
            elif (instance := read_instance(path)) is not None:
                files.dicom.append((root, instance))
            elif path.suffix.lower() in (".dcm", ".ima"):
                files.broken.append((root, path, "not DICOM despite its name"))
            else:
                files.other[ending_of(path)] += 1
        except UnreadableSeries as error:
            files.broken.append((root, path, str(error)))
        except OSError as error:
            advice = "fetch the file it links to" if path.is_symlink() else "check the permissions"
            files.broken.append((root, path, f"cannot be opened ({error.strerror}); {advice}"))
        if progress is not None:
            progress(count)
    return files


def _dicom_studies(files: _Files, others: list[_Draft], *, identify: bool) -> list[_Draft]:
    """One draft per Study Instance UID and visit (per folder without one); `others` share the folders."""
    visits: dict[str, set[tuple[str, str]]] = {}
    for _, instance in files.dicom:
        visits.setdefault(_study_of(instance), set()).add(instance.visit)
    groups: dict[str, list[tuple[Path, Instance]]] = {}
    for root, instance in files.dicom:
        uid = study = _study_of(instance)
        for number, own in enumerate(instance.visit):
            if len({visit[number] for visit in visits[study]} - {""}) > 1:
                uid += f" {own}"  # some anonymisers give all patients, or all visits of one, the same UID
        groups.setdefault(uid, []).append((root, instance))
    holders: dict[Path, set[str]] = {}
    for uid, members in groups.items():
        direct = {instance.path.parent for _, instance in members}
        for folder in {folder for own in direct for folder in (own, *own.parents)}:
            holders.setdefault(folder, set()).add(uid)
    for number, draft in enumerate(others):
        for folder in draft.files[0].parents:
            holders.setdefault(folder, set()).add(f"file {number}")
    shared = {folder for folder, uids in holders.items() if len(uids) > 1}
    drafts = []
    for uid, members in groups.items():
        instances = [instance for _, instance in members]
        folders = {instance.path.parent for instance in instances}
        series = series_of(instances, [path for _, path, _ in files.broken if path.parent in folders])
        root = min((root for root, _ in members), key=lambda folder: len(folder.parts))
        words = [word for i in instances for word in (i.description, str(i.series_number or ""))]
        identity = Identity()
        for instance in instances:
            identity |= instance.identity
        own = folder_name([i.path for i in instances], root, shared, words)
        name = study_name(own, uid, identity, identify=identify)
        drafts.append(_Draft(name, series, [i.path for i in instances], root, uid, uid))
    return drafts


def _study_of(instance: Instance) -> str:
    return instance.study_uid or f"folder {instance.path.parent}"


def _nifti_studies(paths: list[tuple[Path, Path]]) -> tuple[list[_Draft], list[tuple[Path, SeriesFound]]]:
    """Drafts of NIfTI studies, and the label maps among the files, which are no studies by themselves."""
    labels: list[tuple[Path, SeriesFound]] = []
    groups: dict[tuple[str, ...], _Draft] = {}
    paired = with_partner([path for _, path in paths])
    for root, path in paths:
        series = series_of_file(path, paired=path in paired)
        subject = subject_session(path)
        if series.info.role is Role.LABEL_MAP and series.problem is None:
            labels.append((root, series))
            continue
        key: tuple[str, ...] = ("file", str(path))
        name = nifti_stem(path)
        if subject:
            above = [parent for parent in path.parents if parent.name == subject.split("_")[0]]
            key, name = ("bids", str(above[0].parent if above else path.parent), subject), subject
        elif series.info.role in _DIXON:
            common = common_stem(path)
            key, name = ("dixon", str(path.parent), common), safe_name(common or path.parent.name)
        draft = groups.setdefault(key, _Draft(name, [], [], root, " ".join(key)))
        draft.series.append(series)
        draft.files.append(path)
    drafts = []
    for key, draft in groups.items():
        held = {s.info.role for s in draft.series}
        if key[0] == "dixon" and not any(pair <= held for pair in _PAIRS):
            drafts += [_lone(draft.root, series) for series in draft.series]  # nothing pairs them
        else:
            names = unique([series.info.name for series in draft.series])
            draft.series = [
                replace(s, info=replace(s.info, name=n)) for s, n in zip(draft.series, names, strict=True)
            ]
            drafts.append(draft)
    return drafts, labels


def _lone(root: Path, series: SeriesFound) -> _Draft:
    """A study of a single NIfTI file."""
    return _Draft(nifti_stem(series.files[0]), [series], [series.files[0]], root, f"file {series.files[0]}")


def _broken_folders(files: _Files, drafts: list[_Draft], *, identify: bool) -> list[_Draft]:
    """A study for each folder that is locked or holds damaged DICOM alone, so that it is accounted for."""
    used = {path.parent for draft in drafts if draft.study_uid for path in draft.files}
    held = {folder for draft in drafts for path in draft.files for folder in path.parents}
    folders: dict[Path, list[tuple[Path, Path, str]]] = {}
    for root, path, why in files.broken:
        folder = path if path.is_dir() else path.parent
        if folder not in used:
            folders.setdefault(folder, []).append((root, path, why))
    result = []
    for folder, members in folders.items():
        what = "the folder" if members[0][1] == folder else f"{len(members)} files cannot be read as DICOM:"
        problem = UnreadableSeries(f"{what} {members[0][2]}")
        found = SeriesFound(
            info=SeriesInfo(name="unreadable", source="dicom"),
            files=tuple(path for _, path, _ in members),
            problem=problem,
        )
        root = members[0][0]
        name = folder_name([folder / "any"], root, held, ()) if identify or folder != root else ""
        safe = safe_name(name) or short_hash(folder.name)
        result.append(_Draft(safe, [found], list(found.files), root, f"folder {folder}"))
    return result


def _name_apart(drafts: list[_Draft]) -> None:
    """Make study names unique: DICOM by hash, NIfTI by the folders above, the rest by number.

    A derivative gives way to the raw image of its name, so that the table of participants finds that one.
    """
    raw = {draft.name.casefold() for draft in drafts if not _pipeline(draft)}
    for draft in drafts:
        if draft.name.casefold() in raw and (pipeline := _pipeline(draft)):
            draft.name = safe_name(f"{draft.name}_{pipeline}")
    twice = clashing(draft.name for draft in drafts)
    for draft in drafts:
        if draft.name.casefold() in twice and draft.study_uid:
            draft.name = short_hash(draft.study_uid)
    folders = {id(draft): list(draft.files[0].parents) for draft in drafts}
    while twice := clashing(draft.name for draft in drafts):
        growing = [d for d in drafts if d.name.casefold() in twice and not d.study_uid and folders[id(d)]]
        places = {(d.name.casefold(), folders[id(d)][0]) for d in growing}  # in one folder, none tells apart
        several = clashing(name for name, _ in places)
        growing = [d for d in growing if d.name.casefold() in several]
        if not growing:
            break
        for draft in growing:
            draft.name = safe_name(f"{folders[id(draft)].pop(0).name}_{draft.name}") or draft.name
    drafts.sort(key=lambda draft: (draft.name, draft.files[0]))
    for draft, name in zip(drafts, unique([draft.name for draft in drafts]), strict=True):
        draft.name = name


def _pipeline(draft: _Draft) -> str:
    """What made a derivative: the folder below BIDS' "derivatives"; "" for any other study."""
    folders = draft.files[0].parent.parts[len(draft.root.parts) :]
    if draft.study_uid or "derivatives" not in folders:
        return ""
    below = folders[folders.index("derivatives") + 1 :]
    return below[0] if below and not below[0].startswith("sub-") else "derivatives"
