import {
  IconArrowsJoin2,
  IconArrowsMaximize,
  IconArrowsMinimize,
  IconArrowsSplit2,
  IconBorderOuter,
  IconBrush,
  IconBucketDroplet,
  IconCapture,
  IconChartAreaLine,
  IconCircleDot,
  IconClipboard,
  IconClipboardCheck,
  IconCopy,
  IconCopyPlus,
  IconEraser,
  IconFilter,
  IconGrain,
  IconHandStop,
  IconLasso,
  IconLassoPolygon,
  IconMagnet,
  IconPointer,
  IconPolygon,
  IconReplace,
  IconScissors,
  IconSlice,
  IconSwitchHorizontal,
  IconTag,
  type TablerIcon,
} from "@tabler/icons-react";

import type { OPERATIONS, TOOLS } from "../../tools/registry";

type IconName = (typeof TOOLS)[number]["icon"] | (typeof OPERATIONS)[number]["icon"];

/** The registry of the tools knows icons by name only; each name that it uses is here. */
export const TOOL_ICONS: Readonly<Record<IconName, TablerIcon>> = {
  IconArrowsJoin2, IconArrowsMaximize, IconArrowsMinimize, IconArrowsSplit2, IconBorderOuter, IconBrush, IconBucketDroplet, IconCapture,
  IconChartAreaLine, IconCircleDot, IconClipboard, IconClipboardCheck, IconCopy, IconCopyPlus, IconEraser, IconFilter, IconGrain,
  IconHandStop, IconLasso, IconLassoPolygon, IconMagnet, IconPointer, IconPolygon, IconReplace, IconScissors, IconSlice,
  IconSwitchHorizontal, IconTag,
};
