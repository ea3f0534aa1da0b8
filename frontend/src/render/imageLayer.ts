import type { Box } from "../document/box";
import { type Camera, type Size, levelFor } from "./camera";
import { type Program, TARGET_VERTEX, createIntegerTexture, createProgram } from "./gl";
import { OFF_THE_EDGE, type Placement, type PlacedTile, tilesIn } from "./placement";
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

/** Channels drawn at once; more are added on top in further passes. */
const AT_ONCE = 4;

const SMOOTH_VALUE = `
  vec2 corner = place - 0.5;
  vec2 f = fract(corner);
  ivec2 a = clamp(ivec2(floor(corner)), ivec2(0), last);
  ivec2 b = clamp(ivec2(floor(corner)) + 1, ivec2(0), last);
  float value = mix(mix(texel(tile, a), texel(tile, ivec2(b.x, a.y)), f.x), mix(texel(tile, ivec2(a.x, b.y)), texel(tile, b), f.x), f.y);`;
const PLAIN_VALUE = "float value = texel(tile, clamp(ivec2(floor(place)), ivec2(0), last));";

/**
 * Adds up the light of so many channels, smoothed between texels or not. What is not needed is left out and not merely skipped:
 * graphics in software run through both sides of a branch.
 */
const fragmentOf = (channels: number, smooth: boolean): string => `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D uTiles[${channels}];
uniform vec3 uTexels[${channels}];   // texel at device pixel (0, 0), y down, and texels per device pixel; 0: no tile yet
uniform vec3 uColors[${channels}];
uniform vec3 uRanges[${channels}];   // low, high, gamma
uniform float uHeight;              // of the target, in device pixels
uniform bool uInverted;             // light stands for dark
out vec4 color;

float texel(usampler2D tile, ivec2 at) {
  return float(texelFetch(tile, at, 0).r);
}
vec3 channel(usampler2D tile, vec3 texels, vec3 tone, vec3 range) {
  if (texels.z == 0.0) return vec3(0.0);
  vec2 place = texels.xy + vec2(gl_FragCoord.x, uHeight - gl_FragCoord.y) * texels.z;
  ivec2 last = textureSize(tile, 0) - 1;
  ${smooth ? SMOOTH_VALUE : PLAIN_VALUE}
  float t = clamp((value - range.x) / max(range.y - range.x, 1e-6), 0.0, 1.0);
  return tone * (range.z == 1.0 ? t : pow(t, range.z));
}
void main() {
  vec3 sum = vec3(0.0);
  ${Array.from({ length: channels }, (_, unit) => `sum += channel(uTiles[${unit}], uTexels[${unit}], uColors[${unit}], uRanges[${unit}]);`).join("\n  ")}
  color = vec4(uInverted ? 1.0 - sum : sum, 1.0);
}`;

/** Above this many device pixels per image pixel people look at pixels, so they are shown as squares. */
const SHOW_PIXELS_FROM = 10;

/** All channels, and whether light stands for dark. */
export interface ImageLook {
  readonly channels: readonly ChannelLook[];
  readonly inverted: boolean;
}

export interface ImageLayer {
  /** Says which tiles this view needs, the middle first. */
  want(placement: Placement, canvas: Size, camera: Camera, looks: readonly ChannelLook[]): void;
  /** Draws the image's share of `part` (device pixels) onto black. */
  draw(part: Box, placement: Placement, canvas: Size, look: ImageLook): void;
  drop(key: string): void;
}

export function createImageLayer(gl: WebGL2RenderingContext, image: ImageShape, cache: TileCache): ImageLayer {
  const programs = new Map<string, Program>();
  const textures = new Map<string, WebGLTexture>();
  const none = createIntegerTexture(gl, gl.R8UI, 1, 1);
  const shownChannels = (looks: readonly ChannelLook[], visible: boolean): number[] =>
    looks.flatMap((look, channel) => (look.visible === visible && channel < image.channels ? [channel] : []));
  const spanAt = (level: number): number => image.tileSize * 2 ** level;

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

  const programFor = (channels: number, smooth: boolean): Program => {
    const key = `${channels}/${smooth}`;
    const program = programs.get(key) ?? createProgram(gl, TARGET_VERTEX, fragmentOf(channels, smooth));
    programs.set(key, program);
    return program;
  };

  /** The wanted tile or, until it is here, its nearest loaded ancestor. */
  const loadedFor = (address: TileAddress): { address: TileAddress; tile: Tile } | null => {
    for (let up = 0; address.level + up < image.levels.length; up++) {
      const ancestor = { ...address, level: address.level + up, row: address.row >> up, column: address.column >> up };
      const tile = cache.get(ancestor);
      if (tile) return { address: ancestor, tile };
    }
    return null;
  };

  /** Whether there is anything to show of this channel. */
  const bindChannel = (program: Program, unit: number, wanted: TileAddress, placement: Placement): boolean => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    const found = loadedFor(wanted);
    if (!found) {
      gl.bindTexture(gl.TEXTURE_2D, none);
      gl.uniform3f(program.uniform(`uTexels[${unit}]`), 0, 0, 0);
      return false;
    }
    const { level, row, column } = found.address;
    gl.bindTexture(gl.TEXTURE_2D, textureOf(tileKey(found.address), found.tile));
    const texelsPerPixel = 1 / (placement.scale * 2 ** level);
    gl.uniform3f(
      program.uniform(`uTexels[${unit}]`),
      placement.left * texelsPerPixel - column * image.tileSize + OFF_THE_EDGE.x,
      placement.top * texelsPerPixel - row * image.tileSize + OFF_THE_EDGE.y,
      texelsPerPixel,
    );
    return true;
  };

  const drawTile = (program: Program, place: PlacedTile, level: number, channels: readonly number[], placement: Placement): void => {
    const { row, column } = place;
    const loaded = channels.map((channel, unit) => bindChannel(program, unit, { channel, level, row, column }, placement));
    if (!loaded.some(Boolean)) return;
    gl.uniform4f(program.uniform("uTarget"), ...place.target);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  };

  const setLooks = (program: Program, channels: readonly number[], looks: readonly ChannelLook[]): void =>
    channels.forEach((channel, unit) => {
      const { color, low, high, gamma } = looks[channel];
      gl.uniform3f(program.uniform(`uColors[${unit}]`), color[0] / 255, color[1] / 255, color[2] / 255);
      gl.uniform3f(program.uniform(`uRanges[${unit}]`), low, high, gamma);
    });

  return {
    want(placement, canvas, camera, looks) {
      const level = levelFor(placement.scale, image.levels.length);
      const span = spanAt(level);
      const away = ({ row, column }: PlacedTile): number => Math.hypot((column + 0.5) * span - camera.x, (row + 0.5) * span - camera.y);
      const places = tilesIn([0, 0, canvas.width, canvas.height], placement, image, span).sort((a, b) => away(a) - away(b));
      const shown = shownChannels(looks, true);
      const base = (channel: number): TileAddress => ({ channel, level: image.levels.length - 1, row: 0, column: 0 });
      cache.want([
        ...shown.map(base),
        ...places.flatMap(({ row, column }) => shown.map((channel) => ({ channel, level, row, column }))),
        // Hidden channels come last and coarse: their histogram is shown beside the others'.
        ...shownChannels(looks, false).map(base),
      ]);
    },
    draw(part, placement, canvas, look) {
      const level = levelFor(placement.scale, image.levels.length);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE);
      const shown = shownChannels(look.channels, true);
      for (let from = 0; from < shown.length; from += AT_ONCE) {
        const channels = shown.slice(from, from + AT_ONCE);
        const program = programFor(channels.length, placement.scale < SHOW_PIXELS_FROM);
        gl.useProgram(program.handle);
        gl.uniform2f(program.uniform("uCanvas"), canvas.width, canvas.height);
        gl.uniform1f(program.uniform("uHeight"), canvas.height);
        gl.uniform1iv(program.uniform("uTiles"), Int32Array.from(channels, (_, unit) => unit));
        setLooks(program, channels, look.channels);
        // The first channels' light is taken from white by the shader, the others' by the blending.
        gl.uniform1i(program.uniform("uInverted"), look.inverted && from === 0 ? 1 : 0);
        gl.blendEquation(look.inverted && from > 0 ? gl.FUNC_REVERSE_SUBTRACT : gl.FUNC_ADD);
        for (const place of tilesIn(part, placement, image, spanAt(level))) drawTile(program, place, level, channels, placement);
      }
      gl.blendEquation(gl.FUNC_ADD);
    },
    drop(key) {
      const texture = textures.get(key);
      if (texture) gl.deleteTexture(texture);
      textures.delete(key);
    },
  };
}
