import { IconBrush, IconCapture, IconEraser, IconHandStop, IconPointer, type TablerIcon } from "@tabler/icons-react";

import type { ToolId } from "../../tools/registry";

export const TOOL_ICONS: Readonly<Record<ToolId, TablerIcon>> = {
  select: IconPointer,
  "smart-box": IconCapture,
  brush: IconBrush,
  erase: IconEraser,
  pan: IconHandStop,
};
