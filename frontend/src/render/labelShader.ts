/**
 * Cells from a texture of slots. Near a border the slots of the texels around a fragment are weighed with a
 * quadratic B-spline: where a slot has half the weight its border runs, and weight / gradient is the distance to it in texels.
 * So borders are smooth at any zoom and lines keep their width in screen pixels, with one texture and no geometry.
 */
export const LABEL_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D uSlots;
uniform usampler2D uStyles;     // per slot: r = palette colour, g = flags
uniform vec4 uPart;             // texels x0, y0, x1, y1 of this tile's core
uniform vec3 uPalette[8];
uniform float uTexel;           // device pixels per texel
uniform float uRatio;           // device pixels per screen pixel
uniform float uFill;
uniform bool uOutlines;
uniform bool uLines;            // far out only fills are drawn
uniform bool uCasing;
uniform uint uHover;
in vec2 vPlace;
out vec4 color;

const vec3 ACCENT = vec3(0.247, 0.878, 0.710);
const vec3 AMBER = vec3(1.0, 0.718, 0.180);
const vec3 CASING = vec3(0.020, 0.024, 0.031);
const uint MIXED = 0x80000000u;  // other slots are near (see slotTexels.ts)
const uint SELECTED = 1u;
const uint CHECK = 2u;

uint styleFlags(uint slot, out vec3 tone) {
  if (slot < 2u) { tone = ACCENT; return 0u; }
  int at = int(slot);
  uvec4 style = texelFetch(uStyles, ivec2(at & 1023, at >> 10), 0);
  tone = (style.g & CHECK) != 0u ? AMBER : uPalette[style.r & 7u];
  return style.g;
}

vec4 fillOf(uint slot) {
  vec3 tone;
  uint flags = styleFlags(slot, tone);
  bool making = slot == 1u;
  float fill = uFill * (slot == uHover || making ? 2.0 : (flags & SELECTED) != 0u ? 1.5 : (flags & CHECK) != 0u ? 1.35 : 1.0);
  return vec4(tone, 1.0) * min(making ? max(fill, 0.34) : fill, 0.85);
}

vec4 over(vec4 top, vec4 below) { return top + below * (1.0 - top.a); }

// Quadratic B-spline and its derivative. REACH widens it: stairs of pixels come out as curves, lines of one pixel survive.
const float REACH = 1.35;
vec2 spline(float t) {
  float a = abs(t);
  if (a < 0.5) return vec2(0.75 - a * a, -2.0 * t);
  if (a < 1.5) return vec2(0.5 * (1.5 - a) * (1.5 - a), -sign(t) * (1.5 - a));
  return vec2(0.0);
}

void main() {
  vec2 place = mix(uPart.xy, uPart.zw, vPlace);
  ivec2 middle = ivec2(floor(place));
  uint here = texelFetch(uSlots, middle, 0).r;
  if ((here & MIXED) == 0u) {
    // Far from any border, as most places are: the fill and nothing else.
    color = here == 0u ? vec4(0.0) : fillOf(here);
    return;
  }
  here &= ~MIXED;

  // The weight of this texel's slot around the place, with its gradient, and the strongest other slot.
  vec2 d = (place - vec2(middle) - 0.5) / REACH;
  vec3 own = vec3(0.0);
  uint other = here;
  float strongest = 0.0;
  for (int y = -2; y <= 2; y++) {
    vec2 wy = spline(d.y - float(y) / REACH);
    for (int x = -2; x <= 2; x++) {
      uint slot = texelFetch(uSlots, middle + ivec2(x, y), 0).r & ~MIXED;
      vec2 wx = spline(d.x - float(x) / REACH);
      if (slot == here) own += vec3(wx.x * wy.x, wx.y * wy.x, wx.x * wy.y);
      else if (wx.x * wy.x > strongest) { strongest = wx.x * wy.x; other = slot; }
    }
  }
  own /= REACH * REACH;
  uint first = own.x < 0.5 ? other : here;
  uint second = own.x < 0.5 ? here : other;
  vec2 slope = 2.0 * own.yz;
  float border = abs(2.0 * own.x - 1.0) / max(length(slope) / REACH, 0.25) * uTexel;
  color = first == 0u ? vec4(0.0) : fillOf(first);
  // On the background the line of the cell beside it is drawn on for half a pixel, so that its edge is smooth.
  uint owner = first == 0u ? second : first;
  float depth = first == 0u ? -border : border;
  vec3 tone;
  uint flags = styleFlags(owner, tone);
  bool selected = (flags & SELECTED) != 0u;
  bool strong = selected || owner == uHover || owner == 1u;
  if (other == here || !uLines || !(uOutlines || strong)) return;

  bool check = (flags & CHECK) != 0u;
  float width = (selected || owner == uHover ? 2.25 : check || owner == 1u ? 2.0 : 1.5) * uRatio;
  width = min(width, max(1.15 * uTexel, 0.6 * uRatio));
  vec2 normal = abs(slope);
  float along = normal.x > normal.y ? gl_FragCoord.y : gl_FragCoord.x;
  bool drawn = !check || selected || mod(along / uRatio, 8.0) < 5.0;
  float line = drawn ? smoothstep(-1.0, 0.0, depth) * (1.0 - smoothstep(width - 0.5, width + 0.5, depth)) : 0.0;
  float reach = (selected ? 1.9 : 1.5) * uRatio;
  float casing = smoothstep(-reach - 0.5, -reach + 0.5, depth) * (1.0 - smoothstep(width + 0.5 * uRatio, width + 1.5 * uRatio, depth));
  if (uCasing) color = over(vec4(CASING, 1.0) * casing * (selected ? 0.7 : 0.55), color);
  color = over(vec4(selected ? vec3(1.0) : tone, 1.0) * line, color);
}`;
