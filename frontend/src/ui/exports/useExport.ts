import { useMutation } from "@tanstack/react-query";

import { imageExport, type ExportFormat } from "../../api/images";
import type { Image } from "../../api/types";
import { complain, note } from "../states/messages";

interface ExportRequest {
  image: Pick<Image, "id" | "name">;
  format: ExportFormat;
}

function hand(name: string, content: Blob) {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the blob once it has begun; a minute is plenty for that.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Downloads one image's labels and says what the format could not carry. */
export function useExport() {
  return useMutation({
    mutationFn: ({ image, format }: ExportRequest) => imageExport(image.id, image.name, format),
    onSuccess: (file, { image }) => {
      hand(file.name, file.content);
      if (file.report) note(`${image.name}: ${file.report}`);
    },
    onError: (error, { image }) => complain(`${image.name} was not exported`, error),
  });
}
