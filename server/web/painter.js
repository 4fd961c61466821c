/** Paints a draw list on a 2D canvas. */

/**
 * @param {CanvasRenderingContext2D} context its current transform is the drawing's frame
 * @param {import("./rig.js").Shape[]} shapes
 */
export function paint(context, shapes) {
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const shape of shapes) {
    context.save();
    if (shape.clip) {
      const frame = context.getTransform();
      trace(context, shape.clip);
      context.clip();
      context.setTransform(frame);
    }
    context.globalAlpha = shape.alpha;
    trace(context, shape.outline);
    if (shape.fill) {
      context.fillStyle = style(context, shape.fill);
      context.fill();
    }
    if (shape.stroke) {
      context.strokeStyle = style(context, shape.stroke);
      context.lineWidth = shape.width;
      context.stroke();
    }
    context.restore();
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("./rig.js").Outline} outline */
function trace(context, { ops, points, matrix }) {
  context.transform(...matrix);
  context.beginPath();
  let i = 0;
  for (const op of ops) {
    if (op === "M") context.moveTo(points[i++], points[i++]);
    else if (op === "L") context.lineTo(points[i++], points[i++]);
    else if (op === "C")
      context.bezierCurveTo(points[i++], points[i++], points[i++], points[i++], points[i++], points[i++]);
    else if (op === "E") {
      context.moveTo(points[i] + points[i + 2], points[i + 1]);
      context.ellipse(points[i++], points[i++], Math.max(0, points[i++]), Math.max(0, points[i++]), 0, 0, 2 * Math.PI);
    } else context.closePath();
  }
}

/** @param {CanvasRenderingContext2D} context @param {string|import("./rig.js").Gradient} paint */
function style(context, paint) {
  if (typeof paint === "string") return paint;
  const gradient = paint.linear
    ? context.createLinearGradient(...paint.linear)
    : context.createRadialGradient(...paint.radial.slice(0, 2), 0, ...paint.radial);
  for (const [at, colour] of paint.stops) gradient.addColorStop(at, colour);
  return gradient;
}
