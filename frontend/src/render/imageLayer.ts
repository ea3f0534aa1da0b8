import { type Camera, type Size, levelFor, visibleBox } from "./camera";
import { type Program, RECTANGLE_VERTEX, createIntegerTexture, createProgram } from "./gl";
import { type Tile, type TileAddress, type TileCache, tileKey } from "./tileCache";

/** What the renderer needs to know about an image. */
export interface ImageShape extends Size {
  readonly channels: number;
  readonly dtype: "uint8" | "uint16";
  readonly levels: readonly Size[];
  readonly tileSize: number;
}

/** How one channel is shown. `low` and `high` are in the samples' own units. */
export interface ChannelLook {
  readonly color: readonly [number, number, number];
  readonly low: number;
  readonly high: number;
  readonly gamma: number;
  readonly visible: boolean;
}

const FRAGMENT = `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D uTile;
uniform vec4 uPart;      // texels x0, y0, x1, y1 of the tile shown on this rectangle
uniform vec3 uColor;
uniform vec3 uRange;     // low, high, gamma
uniform float uSmooth;   // 1: between texels; 0: the texel itself
in vec2 vPlace;
out vec4 color;
float texel(ivec2 at) {
  ivec2 last = textureSize(uTile, 0) - 1;
  return float(texelFetch(uTile, clamp(at, ivec2(0), last), 0).r);
}
void main() {
  vec2 place = mix(uPart.xy, uPart.zw, vPlace);
  float value;
  if (uSmooth > 0.5) {
    vec2 corner = place - 0.5;
    ivec2 at = ivec2(floor(corner));
    vec2 f = corner - vec2(at);
    value = mix(mix(texel(at), texel(at + ivec2(1, 0)), f.x), mix(texel(at + ivec2(0, 1)), texel(at + ivec2(1, 1)), f.x), f.y);
  } else {
    value = texel(ivec2(floor(place)));
  }
  float t = clamp((value - uRange.x) / max(uRange.y - uRange.x, 1e-6), 0.0, 1.0);
  color = vec4(uColor * pow(t, uRange.z), 1.0);
}`;

/** Above this many device pixels per image pixel people look at pixels, so they are shown as squares. */
const SHOW_PIXELS_FROM = 10;

export interface ImageLayer {
  draw(camera: Camera, viewport: Size, pixelRatio: number, looks: readonly ChannelLook[]): void;
  drop(key: string): void;
}

/** Tiles in view, and below them the coarsest level, which fills in while finer ones come. */
function tilesInView(image: ImageShape, camera: Camera, viewport: Size, level: number): { row: number; column: number }[] {
  const span = image.tileSize * 2 ** level;
  const [x0, y0, x1, y1] = visibleBox(camera, viewport);
  const size = image.levels[level];
  const columns = Math.ceil(size.width / image.tileSize);
  const rows = Math.ceil(size.height / image.tileSize);
  const found: { row: number; column: number }[] = [];
  for (let row = Math.max(0, Math.floor(y0 / span)); row < Math.min(rows, Math.ceil(y1 / span)); row++) {
    for (let column = Math.max(0, Math.floor(x0 / span)); column < Math.min(columns, Math.ceil(x1 / span)); column++) {
      found.push({ row, column });
    }
  }
  const away = (place: { row: number; column: number }): number =>
    Math.hypot((place.column + 0.5) * span - camera.x, (place.row + 0.5) * span - camera.y);
  return found.sort((a, b) => away(a) - away(b));
}

export function createImageLayer(gl: WebGL2RenderingContext, image: ImageShape, cache: TileCache): ImageLayer {
  const program: Program = createProgram(gl, RECTANGLE_VERTEX, FRAGMENT);
  const textures = new Map<string, WebGLTexture>();

  const textureOf = (key: string, tile: Tile): WebGLTexture => {
    const known = textures.get(key);
    if (known) return known;
    const wide = tile.samples instanceof Uint16Array;
    const texture = createIntegerTexture(gl, wide ? gl.R16UI : gl.R8UI, tile.width, tile.height);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const type = wide ? gl.UNSIGNED_SHORT : gl.UNSIGNED_BYTE;
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, tile.width, tile.height, gl.RED_INTEGER, type, tile.samples);
    textures.set(key, texture);
    return texture;
  };

  /** The wanted tile or, until it is here, the part of its nearest loaded ancestor that covers the same pixels. */
  const loadedFor = (address: TileAddress): { key: string; tile: Tile; up: number } | null => {
    for (let up = 0; address.level + up < image.levels.length; up++) {
      const ancestor = { ...address, level: address.level + up, row: address.row >> up, column: address.column >> up };
      const tile = cache.get(ancestor);
      if (tile) return { key: tileKey(ancestor), tile, up };
    }
    return null;
  };

  const drawTile = (address: TileAddress): void => {
    const found = loadedFor(address);
    if (!found) return;
    const span = image.tileSize * 2 ** address.level;
    const x0 = address.column * span;
    const y0 = address.row * span;
    const x1 = Math.min(image.width, x0 + span);
    const y1 = Math.min(image.height, y0 + span);
    const scale = 2 ** (address.level + found.up);
    const left = (address.column >> found.up) * image.tileSize;
    const top = (address.row >> found.up) * image.tileSize;
    gl.bindTexture(gl.TEXTURE_2D, textureOf(found.key, found.tile));
    gl.uniform4f(program.uniform("uRect"), x0, y0, x1, y1);
    gl.uniform4f(program.uniform("uPart"), x0 / scale - left, y0 / scale - top, x1 / scale - left, y1 / scale - top);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  };

  return {
    draw(camera, viewport, pixelRatio, looks) {
      const level = levelFor(camera.zoom * pixelRatio, image.levels.length);
      const coarsest = image.levels.length - 1;
      const places = tilesInView(image, camera, viewport, level);
      const shown = looks.flatMap((look, channel) => (look.visible && channel < image.channels ? [channel] : []));
      const base = (channel: number): TileAddress => ({ channel, level: coarsest, row: 0, column: 0 });
      // Hidden channels come last and coarse: their histogram is shown beside the others'.
      const hidden = looks.flatMap((look, channel) => (!look.visible && channel < image.channels ? [channel] : []));
      cache.want([...shown.map(base), ...places.flatMap((place) => shown.map((channel) => ({ channel, level, ...place }))), ...hidden.map(base)]);

      gl.useProgram(program.handle);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE);
      gl.activeTexture(gl.TEXTURE0);
      gl.uniform1i(program.uniform("uTile"), 0);
      gl.uniform3f(program.uniform("uCamera"), camera.x, camera.y, camera.zoom);
      gl.uniform2f(program.uniform("uViewport"), viewport.width, viewport.height);
      gl.uniform1f(program.uniform("uSmooth"), camera.zoom * pixelRatio < SHOW_PIXELS_FROM ? 1 : 0);
      for (const channel of shown) {
        const look = looks[channel];
        gl.uniform3f(program.uniform("uColor"), look.color[0] / 255, look.color[1] / 255, look.color[2] / 255);
        gl.uniform3f(program.uniform("uRange"), look.low, look.high, look.gamma);
        for (const place of places) drawTile({ channel, level, ...place });
      }
    },
    drop(key) {
      const texture = textures.get(key);
      if (texture) gl.deleteTexture(texture);
      textures.delete(key);
    },
  };
}
