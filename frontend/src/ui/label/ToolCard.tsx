import { LARGEST_BRUSH, type ImageSession, SMALLEST_BRUSH } from "../../session/imageSession";
import { TOOLS, type ToolId } from "../../tools/registry";
import { Slider } from "./Slider";
import styles from "./tools.module.css";
import { TOOL_ICONS } from "./toolIcons";
import { useValue } from "./useValue";

/** Brush sizes feel even on a log scale: the slider runs over the logarithm. */
const toSlider = (radius: number): number => Math.log2(radius);
const fromSlider = (value: number): number => Math.round(2 ** value * 2) / 2;

function target(session: ImageSession, tool: ToolId, selection: ReadonlySet<string>): string {
  const [only] = selection;
  const cell = selection.size === 1 ? session.document.get(only) : undefined;
  if (cell) return `#${cell.label}`;
  if (tool === "erase") return selection.size > 1 ? `${selection.size} cells` : "All under it";
  return "Under it, or new";
}

function BrushOptions({ session, tool }: { session: ImageSession; tool: ToolId }) {
  const radius = useValue(session.brushRadius);
  const selection = useValue(session.selection);
  return (
    <>
      <div className={styles.field}>
        <span>Size</span>
        <b>{(radius * 2).toFixed(0)} px</b>
      </div>
      <Slider
        label="Brush size"
        min={toSlider(SMALLEST_BRUSH)}
        max={toSlider(LARGEST_BRUSH)}
        step={0.05}
        value={toSlider(radius)}
        onChange={(value) => session.brushRadius.set(fromSlider(value))}
      />
      <div className={styles.field}>
        <span>{tool === "erase" ? "Erases from" : "Paints into"}</span>
        <b>{target(session, tool, selection)}</b>
      </div>
    </>
  );
}

/** The active tool, its options and one sentence on how it is used. */
export function ToolCard({ session }: { session: ImageSession }) {
  const active = useValue(session.tool);
  const tool = TOOLS.find(({ id }) => id === active) ?? TOOLS[0];
  const Icon = TOOL_ICONS[tool.id];
  return (
    <section className={styles.card} aria-label={`${tool.name} options`}>
      <header>
        <Icon size={16} stroke={1.5} aria-hidden />
        <h2>{tool.name}</h2>
        <span className="grow" />
        <kbd>{tool.key.toUpperCase()}</kbd>
      </header>
      {(tool.id === "brush" || tool.id === "erase") && <BrushOptions session={session} tool={tool.id} />}
      {tool.id === "smart-box" && (
        <div className={styles.field}>
          <span>Overlap</span>
          <b>Never</b>
        </div>
      )}
      <p>{tool.says}</p>
    </section>
  );
}
