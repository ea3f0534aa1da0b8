import { type Camera, type Size, fit, toScreen } from "../render/camera";

/** The whole image, moved by half of what is taken from the left and the top of the viewport. */
function fitWithout(image: Size, viewport: Size, taken: Size): Camera {
  const room = { width: Math.max(1, viewport.width - taken.width), height: Math.max(1, viewport.height - taken.height) };
  const camera = fit(image, room);
  return { ...camera, x: camera.x - taken.width / 2 / camera.zoom, y: camera.y - taken.height / 2 / camera.zoom };
}

/** The whole image, beside or below the `covered` top left corner where it would lie under it, whichever shows it larger. */
export function fitUncovered(image: Size, viewport: Size, covered: Size): Camera {
  const plain = fit(image, viewport);
  const corner = toScreen(plain, viewport, 0, 0);
  if (corner.x >= covered.width || corner.y >= covered.height) return plain;
  const beside = fitWithout(image, viewport, { width: covered.width, height: 0 });
  const below = fitWithout(image, viewport, { width: 0, height: covered.height });
  return beside.zoom >= below.zoom ? beside : below;
}
