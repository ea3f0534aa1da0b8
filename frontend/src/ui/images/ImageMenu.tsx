import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconDownload, IconFocusCentered, IconRotate, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";

import type { Image } from "../../api/types";
import { useExport } from "../exports/useExport";
import { Confirm } from "../states/Confirm";
import { canOpen } from "./openable";
import { useImageActs } from "./useImages";

interface Props {
  image: Image;
  canEdit: boolean;
}

const icon = { size: 16, stroke: 1.5 } as const;

export function ImageMenu({ image, canEdit }: Props) {
  const [, navigate] = useLocation();
  const [isAsking, setAsking] = useState(false);
  const { remove, segment } = useImageActs(image.project);
  const exported = useExport();
  const hasCells = canOpen(image) && image.status !== "segmenting";
  const isBusy = image.status === "queued" || image.status === "ingesting" || image.status === "segmenting";
  return (
    <>
      <Menu position="bottom-end" width={216}>
        <Menu.Target>
          <ActionIcon aria-label={`More for ${image.name}`} data-testid="image-menu">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item disabled={!canOpen(image)} leftSection={<IconFocusCentered {...icon} />} onClick={() => navigate(`/images/${image.id}`)}>
            Open
          </Menu.Item>
          <Menu.Item
            disabled={!hasCells}
            data-testid="export-label-tiff"
            leftSection={<IconDownload {...icon} />}
            onClick={() => exported.mutate({ image, format: "label-tiff" })}
          >
            Export label TIFF
          </Menu.Item>
          <Menu.Item disabled={!hasCells} data-testid="export-coco" leftSection={<IconDownload {...icon} />} onClick={() => exported.mutate({ image, format: "coco" })}>
            Export COCO JSON
          </Menu.Item>
          {canEdit && (
            <>
              <Menu.Divider />
              <Menu.Item disabled={isBusy || image.status === "needs_channels"} leftSection={<IconRotate {...icon} />} onClick={() => segment.mutate(image)}>
                {image.status === "failed" ? "Try again" : "Segment again"}
              </Menu.Item>
              <Menu.Item className="cl-danger" leftSection={<IconTrash {...icon} />} onClick={() => setAsking(true)}>
                Delete image
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={isAsking}
        title={`Delete ${image.name}?`}
        detail="The image and all cells in it go. This cannot be undone."
        act="Delete image"
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(image)}
      />
    </>
  );
}
