// Runs inside the labelling page: plays pointer events on the canvas and times what they cause.
// A time ends when the graphics have finished drawing (readPixels waits for that), or when the page is idle again.
(() => {
  const area = document.querySelector("[data-testid=canvas]");
  const picture = area.querySelector("canvas");
  const gl = picture.getContext("webgl2");
  const pixel = new Uint8Array(4);
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const idle = () => new Promise((resolve) => requestIdleCallback(resolve));

  const send = (type, at, buttons = 0, button = 0) =>
    area.dispatchEvent(
      new PointerEvent(type, { pointerId: 1, pointerType: "mouse", isPrimary: true, bubbles: true, cancelable: true, clientX: at.x, clientY: at.y, button, buttons }),
    );
  const drawn = async () => {
    await nextFrame();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  };
  const timed = async (act) => {
    await nextFrame();
    const from = performance.now();
    act();
    await drawn();
    return performance.now() - from;
  };
  const place = (x, y) => window.__cellloop.imageToScreen(x, y);

  window.__canvasBench = {
    async zoomTo(zoom, x, y) {
      const now = place(1, 0).x - place(0, 0).x;
      const at = place(x, y);
      area.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX: at.x, clientY: at.y, deltaY: -Math.log(zoom / now) / 0.0016 }));
      await drawn();
    },
    async pan(steps) {
      const frame = area.getBoundingClientRect();
      const at = { x: frame.left + frame.width / 2, y: frame.top + frame.height / 2 };
      send("pointerdown", at, 4, 1);
      const times = [];
      for (let i = 0; i < steps; i++) {
        const way = i % 20 < 10 ? 1 : -1;
        at.x += 9 * way;
        at.y += 5 * way;
        times.push(await timed(() => send("pointermove", at, 4, 1)));
      }
      send("pointerup", at, 0, 1);
      return times;
    },
    async hover(steps, on, off) {
      const times = [];
      for (let i = 0; i < steps; i++) times.push(await timed(() => send("pointermove", place(...(i % 2 ? off : on)))));
      return times;
    },
    async stroke(steps, x, y) {
      // Starts between cells: a new one is drawn, around and between those that are there.
      const at = (i) => place(x + 30 * Math.cos(i / 3) - 30, y + 30 * Math.sin(i / 3));
      send("pointermove", at(0));
      send("pointerdown", at(0), 1);
      const dabs = [];
      for (let i = 1; i <= steps; i++) dabs.push(await timed(() => send("pointermove", at(i), 1)));
      const from = performance.now();
      send("pointerup", at(steps));
      await drawn();
      const seen = performance.now() - from;
      await idle();
      return { dabs, seen, whole: performance.now() - from };
    },
  };
})();
