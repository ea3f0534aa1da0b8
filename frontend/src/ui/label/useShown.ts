import { usePreference } from "../session/usePreference";

/** The parts of the page that a person may do without. */
export const SHOWN = [
  { id: "sideBySide", name: "Channels side by side", first: false },
  { id: "filmstrip", name: "Filmstrip", first: false },
  { id: "minimap", name: "Overview map", first: true },
  { id: "scaleBar", name: "Scale bar", first: true },
] as const;

export type Shown = (typeof SHOWN)[number]["id"];

/** Which of them are shown, kept per person. */
export function useShown(): { is: (id: Shown) => boolean; toggle: (id: Shown) => void } {
  const [sideBySide, setSideBySide] = usePreference<boolean>("ui.sideBySide", SHOWN[0].first);
  const [filmstrip, setFilmstrip] = usePreference<boolean>("ui.filmstrip", SHOWN[1].first);
  const [minimap, setMinimap] = usePreference<boolean>("ui.minimap", SHOWN[2].first);
  const [scaleBar, setScaleBar] = usePreference<boolean>("ui.scaleBar", SHOWN[3].first);
  const all: Record<Shown, [boolean, (next: boolean) => void]> = {
    sideBySide: [sideBySide, setSideBySide],
    filmstrip: [filmstrip, setFilmstrip],
    minimap: [minimap, setMinimap],
    scaleBar: [scaleBar, setScaleBar],
  };
  return { is: (id) => all[id][0], toggle: (id) => all[id][1](!all[id][0]) };
}
