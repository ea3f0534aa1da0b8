import { ActionIcon, Menu } from "@mantine/core";
import { IconArrowsDiff, IconChartDots, IconCheck, IconDots, IconDownload } from "@tabler/icons-react";
import { useLocation } from "wouter";

import { checkpointUrl } from "../../api/model";
import type { ModelVersion, ProjectModel } from "../../api/types";
import { comparePath } from "../compare/choices";
import { activationWord, isMeasured } from "./versions";

interface Props {
  projectId: string;
  model: ProjectModel;
  version: ModelVersion;
  canManage: boolean;
  onActivate: () => void;
  onFigures: () => void;
}

const ICON = { size: 16, stroke: 1.5, "aria-hidden": true } as const;

/** What can be done with one version. */
export function VersionMenu({ projectId, model, version, canManage, onActivate, onFigures }: Props) {
  const [, navigate] = useLocation();
  const { active } = model;
  const word = activationWord(version);
  const canCompare = active !== null && active.id !== version.id && version.state !== "failed";
  return (
    <Menu position="bottom-end" width={248}>
      <Menu.Target>
        <ActionIcon aria-label={`More about ${version.name}`} data-testid="version-menu">
          <IconDots size={16} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {isMeasured(version) && (
          <Menu.Item leftSection={<IconChartDots {...ICON} />} data-testid="version-figures" onClick={onFigures}>
            Show what the gate measured
          </Menu.Item>
        )}
        {canCompare && (
          <Menu.Item leftSection={<IconArrowsDiff {...ICON} />} data-testid="version-compare" onClick={() => navigate(comparePath(projectId, { left: active.id, right: version.id }))}>
            Compare with {active.name} on an image
          </Menu.Item>
        )}
        {canManage && word && (
          <Menu.Item leftSection={<IconCheck {...ICON} />} data-testid="version-activate" onClick={onActivate}>
            {word} {version.name}
          </Menu.Item>
        )}
        <Menu.Item component="a" href={checkpointUrl(version.id)} download leftSection={<IconDownload {...ICON} />} data-testid="version-export">
          Download as a checkpoint
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
