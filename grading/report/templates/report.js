"use strict";
// The interactive part of the report: NiiVue shows the embedded images, this file joins it to the controls.
(async () => {
  const data = JSON.parse(document.getElementById("viewer-data").textContent);
  const element = (id) => document.getElementById(id);
  const IMAGE = 0, FAT = 1, OUTLINES = 2; // order of the volumes: NiiVue leaves out hidden ones from the third on

  const rgb = (codes) => codes.map((code) => [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16)));
  const channels = (colours) => ({ R: colours.map((c) => c[0]), G: colours.map((c) => c[1]), B: colours.map((c) => c[2]) });

  const start = async () => {
    element("viewer").hidden = false;
    const viewer = new niivue.Niivue({
      isRadiologicalConvention: true, sagittalNoseLeft: true, dragAndDropEnabled: false, logLevel: "error",
      showLegend: false, multiplanarShowRender: niivue.SHOW_RENDER.NEVER, showAllOrientationMarkers: true, fontColor: [1, 1, 1, 1],
      crosshairColor: [1, 1, 1, 0.5], crosshairWidth: 0.5, crosshairWidthUnit: "mm", crosshairGap: 12,
    });
    await viewer.attachToCanvas(element("canvas"));
    const scale = rgb(data.fatScale.map((code) => "#" + code));
    const steps = scale.map((_, i) => Math.round((255 * i) / (scale.length - 1)));
    viewer.addColormap("fat", { ...channels(scale), A: scale.map((_, i) => (i ? 255 : 0)), I: steps });
    const borders = rgb(data.colours), values = Array.from({ length: 256 }, (_, value) => value);
    const structure = (value) => (value % data.planeStep) - 1, inPlane = (value, axis) => (Math.floor(value / data.planeStep) >> axis) & 1;
    for (const axis of [0, 1, 2]) { // an outline of its own for each plane
      const lut = values.map((value) => borders[structure(value)] ?? [0, 0, 0]);
      viewer.addColormap("outlines" + axis, { ...channels(lut), A: values.map((value) => (inPlane(value, axis) ? 255 : 0)), I: values });
    }
    const load = (name, options) => niivue.NVImage.loadFromBase64({ base64: data.files[name], name: name + ".nii.gz", ...options });
    const image = await load("image", { colormap: "gray", cal_min: data.window[0], cal_max: data.window[1] });
    const fat = await load("fat", { colormap: "fat", cal_min: -0.25, cal_max: 100, opacity: 0 });
    const outlines = await load("outlines", { colormap: "outlines0", cal_min: 0, cal_max: 255 });
    for (const volume of [image, fat, outlines]) viewer.addVolume(volume);
    return viewer;
  };

  let viewer;
  try {
    viewer = await start();
  } catch (error) {
    element("viewer").hidden = true;
    element("no-viewer").append(` (${error})`);
    return;
  }
  element("no-viewer").hidden = true;

  const planes = element("planes"), slice = element("slice"), level = element("level"), width = element("width");
  const [darkest, brightest] = data.range;
  const volume = viewer.volumes[IMAGE];
  const axis = () => (planes.value === "all" ? data.sliceAxis : Number(planes.value));
  const here = () => viewer.frac2vox(viewer.scene.crosshairPos);

  const showPlane = () => {
    const types = [viewer.sliceTypeSagittal, viewer.sliceTypeCoronal, viewer.sliceTypeAxial];
    viewer.setColormap(viewer.volumes[OUTLINES].id, "outlines" + axis());
    viewer.setSliceType(planes.value === "all" ? viewer.sliceTypeMultiplanar : types[axis()]);
    slice.max = volume.dimsRAS[axis() + 1] - 1;
    slice.value = here()[axis()];
    slice.setAttribute("aria-valuetext", `slice ${Number(slice.value) + 1} of ${Number(slice.max) + 1}`);
  };
  const scroll = () => {
    const voxel = Array.from(here());
    voxel[axis()] = Number(slice.value);
    viewer.scene.crosshairPos = viewer.vox2frac(voxel);
    viewer.drawScene();
    viewer.createOnLocationChange();
    slice.setAttribute("aria-valuetext", `slice ${Number(slice.value) + 1} of ${Number(slice.max) + 1}`);
  };
  const showLayers = () => {
    viewer.setOpacity(FAT, element("fat").checked ? 1 : 0);
    viewer.setOpacity(OUTLINES, element("outlines").checked ? 1 : 0);
  };
  const setWindow = () => {
    const middle = darkest + (level.value / 1000) * (brightest - darkest), half = ((width.value / 1000) * (brightest - darkest)) / 2;
    [volume.cal_min, volume.cal_max] = [middle - half, middle + half];
    viewer.updateGLVolume();
  };
  const firstWindow = () => {
    const [low, high] = data.window;
    level.value = (1000 * ((low + high) / 2 - darkest)) / (brightest - darkest);
    width.value = (1000 * (high - low)) / (brightest - darkest);
    setWindow();
  };
  const say = (place) => {
    const [signal, fat, border] = place.values.map((v) => v.value);
    const texts = [`signal ${Math.round(signal)}`];
    if (fat >= 0) texts.push(`fat fraction ${fat.toFixed(0)} %`);
    if (border > 0) texts.push(`border of ${data.structures[(border % data.planeStep) - 1]}`);
    element("place").textContent = texts.join(", ");
    slice.value = place.vox[axis()];
  };
  const reset = () => {
    planes.value = "all";
    element("outlines").checked = true;
    element("fat").checked = false;
    viewer.scene.crosshairPos = viewer.mm2frac(data.start);
    showLayers();
    firstWindow();
    showPlane();
    viewer.createOnLocationChange();
  };

  planes.addEventListener("change", showPlane);
  slice.addEventListener("input", scroll);
  for (const id of ["outlines", "fat"]) element(id).addEventListener("change", showLayers);
  for (const control of [level, width]) control.addEventListener("input", setWindow);
  element("reset").addEventListener("click", reset);
  viewer.onLocationChange = say;
  reset();
  document.documentElement.dataset.viewer = "ready"; // tests and scripts can wait for it
})();
