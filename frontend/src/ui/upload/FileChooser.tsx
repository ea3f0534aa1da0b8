import { useState, type ChangeEvent, type ReactNode } from "react";

/** What the server reads; it decides by content, so this only tidies the file dialog. */
const ACCEPT = ".tif,.tiff,.png,.jpg,.jpeg,.npy,image/tiff,image/png,image/jpeg";

interface Props {
  onFiles: (files: File[]) => void;
  children: (choose: () => void) => ReactNode;
}

/** The hidden file input and whatever opens it. */
export function FileChooser({ onFiles, children }: Props) {
  const [input, setInput] = useState<HTMLInputElement | null>(null);
  function changed(event: ChangeEvent<HTMLInputElement>) {
    onFiles(Array.from(event.currentTarget.files ?? []));
    // So that choosing the same file again is a change again.
    event.currentTarget.value = "";
  }
  return (
    <>
      <input ref={setInput} type="file" multiple hidden accept={ACCEPT} aria-label="Image files" data-testid="drop-input" onChange={changed} />
      {children(() => input?.click())}
    </>
  );
}
