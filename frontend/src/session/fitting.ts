import { type Camera, type Size, fit, toScreen } from "../render/camera";

export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

/** What floats over the corners of the picture, in screen pixels from the viewport's edges. */
export type Covers = Readonly<Partial<Record<Corner, Size>>>;

/** Room that is left free at each edge of the viewport. */
type Room = Readonly<Record<"top" | "right" | "bottom" | "left", number>>;

const NONE: Room = { top: 0, right: 0, bottom: 0, left: 0 };

/** The whole image within what `room` leaves of the viewport. */
function fitWithin(image: Size, viewport: Size, room: Room): Camera {
  const inner = { width: Math.max(1, viewport.width - room.left - room.right), height: Math.max(1, viewport.height - room.top - room.bottom) };
  const camera = fit(image, inner);
  return { ...camera, x: camera.x - (room.left - room.right) / 2 / camera.zoom, y: camera.y - (room.top - room.bottom) / 2 / camera.zoom };
}

/** The ways past the covers: each is passed by its width, by its height, or is not in the way. */
function* ways([cover, ...others]: readonly (readonly [Corner, Size])[]): Generator<Room> {
  if (!cover) {
    yield NONE;
    return;
  }
  const [corner, { width, height }] = cover;
  const [edge, side] = corner.split("-") as ["top" | "bottom", "left" | "right"];
  for (const room of ways(others)) {
    yield room;
    yield { ...room, [side]: Math.max(room[side], width) };
    yield { ...room, [edge]: Math.max(room[edge], height) };
  }
}

function isCovered(image: Size, viewport: Size, camera: Camera, [corner, { width, height }]: readonly [Corner, Size]): boolean {
  const [first, last] = [toScreen(camera, viewport, 0, 0), toScreen(camera, viewport, image.width, image.height)];
  const across = corner.endsWith("left") ? first.x < width : last.x > viewport.width - width;
  const down = corner.startsWith("top") ? first.y < height : last.y > viewport.height - height;
  return across && down;
}

/** The whole image as large as it can be shown with none of it under the covers. */
export function fitUncovered(image: Size, viewport: Size, covers: Covers): Camera {
  const taken = Object.entries(covers) as [Corner, Size][];
  const free = [...ways(taken)]
    .map((room) => fitWithin(image, viewport, room))
    .filter((camera) => !taken.some((cover) => isCovered(image, viewport, camera, cover)));
  // A viewport that is covered all over leaves no way: then the picture lies under the covers.
  return free.reduce((best, camera) => (camera.zoom > best.zoom ? camera : best), free[0] ?? fit(image, viewport));
}
