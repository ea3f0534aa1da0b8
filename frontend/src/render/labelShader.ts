import { DISTANCE_LEAST, DISTANCE_SCALE, FAR, FURTHEST, SLOT_BITS } from "./slotTexels";
import { CHECK, SELECTED, STYLE_ROW } from "./styleTable";

/**
 * Cells from a texture of slots and border distances (see slotTexels.ts). Between four texels the distances are
 * interpolated, those of other slots counted below 0: where they cancel out the border runs. So borders are smooth at any
 * zoom and lines keep their width in screen pixels, with one texture, four reads near a border and one elsewhere.
 */
export const LABEL_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D uSlots;
uniform usampler2D uStyles;     // per slot: r, g, b = colour, a = flags
uniform float uHeight;          // of the target, in device pixels
uniform vec3 uTexels;           // texel of this tile at device pixel (0, 0), y down, and texels per device pixel
uniform vec2 uPhase;            // device pixel (0, 0) on the image, for dashes that stay in place
uniform float uRatio;           // device pixels per screen pixel
uniform float uFill;
uniform bool uOutlines;
uniform float uLines;           // strength of outlines, 0..1
uniform bool uCasing;
uniform uint uHover;
out vec4 color;

const vec3 ACCENT = vec3(0.247, 0.878, 0.710);
const vec3 CASING = vec3(0.020, 0.024, 0.031);
const uint SELECTED = ${SELECTED}u;
const uint CHECK = ${CHECK}u;
const uint SLOT_MASK = ${(1 << SLOT_BITS) - 1}u;
const uint FAR = ${FAR}u;

uint slotOf(uint texel) { return texel & SLOT_MASK; }
float distanceOf(uint texel) {
  uint stored = texel >> ${SLOT_BITS};
  return float(min(stored, ${FURTHEST}u)) / ${DISTANCE_SCALE.toFixed(1)} + ${DISTANCE_LEAST.toFixed(1)};
}

uint styleOf(uint slot, out vec3 tone) {
  if (slot < 2u) { tone = ACCENT; return 0u; }
  int at = int(slot);
  uvec4 style = texelFetch(uStyles, ivec2(at % ${STYLE_ROW}, at / ${STYLE_ROW}), 0);
  tone = vec3(style.rgb) / 255.0;
  return style.a;
}

vec4 fillOf(uint slot, uint flags, vec3 tone) {
  bool making = slot == 1u;
  float fill = uFill * (slot == uHover || making ? 2.0 : (flags & SELECTED) != 0u ? 1.5 : (flags & CHECK) != 0u ? 1.35 : 1.0);
  return vec4(tone, 1.0) * min(making ? max(fill, 0.34) : fill, 0.85);
}

vec4 over(vec4 top, vec4 below) { return top + below * (1.0 - top.a); }

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, uHeight - gl_FragCoord.y);
  vec2 place = uTexels.xy + pixel * uTexels.z;
  uint texel = texelFetch(uSlots, ivec2(place), 0).r;
  uint here = slotOf(texel);
  vec3 tone;
  if (texel >> ${SLOT_BITS} == FAR) {
    // Far from any border, as most places are: the fill and nothing else.
    color = vec4(0.0);
    if (here != 0u) {
      uint flags = styleOf(here, tone);
      color = fillOf(here, flags, tone);
    }
    return;
  }

  // Distance to the border of the slot here, and the strongest other slot.
  vec2 corner = place - 0.5;
  ivec2 at = ivec2(floor(corner));
  vec2 f = corner - vec2(at);
  vec4 weights = vec4((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y);
  vec4 d;
  uint other = here;
  float strongest = 0.0;
  for (int i = 0; i < 4; i++) {
    uint near = texelFetch(uSlots, at + ivec2(i & 1, i >> 1), 0).r;
    uint slot = slotOf(near);
    d[i] = distanceOf(near);
    if (slot == here) continue;
    d[i] = -d[i];
    if (weights[i] >= strongest) { strongest = weights[i]; other = slot; }
  }
  float own = dot(weights, d);
  uint first = own < 0.0 ? other : here;
  uint second = own < 0.0 ? here : other;
  float border = abs(own) / uTexels.z;
  // On the background the line of the cell beside it is drawn on for half a pixel, so that its edge is smooth.
  uint owner = first == 0u ? second : first;
  float depth = first == 0u ? -border : border;
  uint flags = styleOf(owner, tone);
  color = first == 0u ? vec4(0.0) : fillOf(owner, flags, tone);
  bool selected = (flags & SELECTED) != 0u;
  bool strong = selected || (owner == uHover && owner != 0u) || owner == 1u;
  if (!uOutlines && !strong) return;

  bool check = (flags & CHECK) != 0u;
  float width = (selected || owner == uHover ? 2.25 : check || owner == 1u ? 2.0 : 1.5) * uRatio;
  width = min(width, max(1.15 / uTexels.z, 0.6 * uRatio));
  vec2 slope = abs(vec2(mix(d[1] - d[0], d[3] - d[2], f.y), mix(d[2] - d[0], d[3] - d[1], f.x)));
  float along = slope.x > slope.y ? pixel.y + uPhase.y : pixel.x + uPhase.x;
  bool drawn = owner != 0u && (!check || selected || mod(along / uRatio, 8.0) < 5.0);
  float line = drawn ? smoothstep(-1.0, 0.0, depth) * (1.0 - smoothstep(width - 0.5, width + 0.5, depth)) : 0.0;
  float reach = (selected ? 1.9 : 1.5) * uRatio;
  // Inwards it ends before the distances do, or its edge would show the texels.
  float inner = min(width + uRatio, max(width, 1.3 / uTexels.z));
  float casing = smoothstep(-reach - 0.5, -reach + 0.5, depth) * (1.0 - smoothstep(inner - 0.5 * uRatio, inner + 0.5 * uRatio, depth));
  if (uCasing) color = over(vec4(CASING, 1.0) * casing * (selected ? 0.7 : 0.55), color);
  color = over(vec4(selected ? vec3(1.0) : tone, 1.0) * line * (strong ? 1.0 : uLines), color);
}`;
