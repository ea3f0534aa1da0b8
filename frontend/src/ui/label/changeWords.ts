import type { CellChange } from "../../api/history";

type What = CellChange["changes"][number];

const WORDS: Readonly<Record<Exclude<What, "class">, string>> = {
  added: "Added",
  removed: "Deleted",
  shape: "Shape changed",
  label: "Number changed",
  checked: "Checked",
};

/** What was done to a cell, in words. */
export function whatWords({ changes, class_id: given }: CellChange, classNames: ReadonlyMap<string, string>): string {
  const classWords = given === null ? "Class taken away" : `Class ${classNames.get(given) ?? "that is gone"}`;
  const words = changes.map((what) => (what === "class" ? classWords : WORDS[what]));
  return words.map((part, index) => (index === 0 ? part : part[0].toLowerCase() + part.slice(1))).join(", ");
}

/** Who did it, and with which model if one drew the mask. */
export function whoWords({ author, source, changes, drawn_by: model }: CellChange): string {
  const drew = changes.includes("added") || changes.includes("shape");
  if (source === "model") return model === null ? "The model" : `Model ${model}`;
  const who = author?.name ?? "Someone who left";
  return drew && model !== null ? `${who}, with model ${model}` : who;
}
