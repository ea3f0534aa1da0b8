/** The few WebGL2 calls that every layer needs, with errors that say what failed. */
export class GraphicsError extends Error {
  override readonly name = "GraphicsError";
}

function shader(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const made = gl.createShader(type);
  if (!made) throw new GraphicsError("no shader could be made");
  gl.shaderSource(made, source);
  gl.compileShader(made);
  if (!gl.getShaderParameter(made, gl.COMPILE_STATUS) && !gl.isContextLost()) {
    throw new GraphicsError(gl.getShaderInfoLog(made) ?? "a shader did not compile");
  }
  return made;
}

export interface Program {
  readonly handle: WebGLProgram;
  uniform(name: string): WebGLUniformLocation | null;
}

export function createProgram(gl: WebGL2RenderingContext, vertex: string, fragment: string): Program {
  const handle = gl.createProgram();
  gl.attachShader(handle, shader(gl, gl.VERTEX_SHADER, vertex));
  gl.attachShader(handle, shader(gl, gl.FRAGMENT_SHADER, fragment));
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new GraphicsError(gl.getProgramInfoLog(handle) ?? "a shader did not link");
  }
  const locations = new Map<string, WebGLUniformLocation | null>();
  return {
    handle,
    uniform(name) {
      let location = locations.get(name);
      if (location === undefined) {
        location = gl.getUniformLocation(handle, name);
        locations.set(name, location);
      }
      return location;
    },
  };
}

/** An integer texture: read by texelFetch only, never filtered. */
export function createIntegerTexture(gl: WebGL2RenderingContext, internalFormat: number, width: number, height: number): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texStorage2D(gl.TEXTURE_2D, 1, internalFormat, width, height);
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  return texture;
}

/** A rectangle of device pixels (uTarget: x0, y0, x1, y1, y down) on a canvas of uCanvas pixels. */
export const TARGET_VERTEX = `#version 300 es
uniform vec4 uTarget;
uniform vec2 uCanvas;
void main() {
  vec2 at = mix(uTarget.xy, uTarget.zw, vec2(gl_VertexID & 1, gl_VertexID >> 1));
  gl_Position = vec4(at / uCanvas * vec2(2.0, -2.0) + vec2(-1.0, 1.0), 0.0, 1.0);
}`;
