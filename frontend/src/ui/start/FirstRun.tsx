import { Button } from "@mantine/core";
import { IconSparkles, IconUpload } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";

import { FileChooser } from "../upload/FileChooser";
import fixing from "./art/fixing.webp";
import drawing from "./art/drawing.webp";
import styles from "./start.module.css";

interface Props {
  onFiles: (files: File[]) => void;
  /** The version that will draw the cells, where it is known. */
  model: string | null;
  /** Null before there is a project: the files make the first one. */
  projectId: string | null;
  children?: ReactNode;
}

interface StepProps {
  number: number;
  title: string;
  text: string;
  art: ReactNode;
  foot: ReactNode;
  isCurrent?: boolean;
}

function Step({ number, title, text, art, foot, isCurrent = false }: StepProps) {
  return (
    <li className={styles.step} data-current={isCurrent || undefined}>
      <div className={styles.art}>{art}</div>
      <div className={styles.body}>
        <h2>
          <span className={styles.number} aria-hidden>
            {number}
          </span>
          {title}
        </h2>
        <p>{text}</p>
      </div>
      <div className={styles.foot}>{foot}</div>
    </li>
  );
}

/** What a person sees before the first image: three steps, of which the first is to be done here. */
export function FirstRun({ onFiles, model, projectId, children }: Props) {
  return (
    <main className={styles.start}>
      <h1>Label your first image</h1>
      <p className={styles.lead}>You bring the images. The model draws the cells. You fix what it got wrong, and it learns.</p>
      <FileChooser onFiles={onFiles}>
        {(choose) => (
          <ol className={styles.steps}>
            <Step
              number={1}
              isCurrent
              title="Add images"
              text="Files stay on this server. Channels and pixel size are read from the file."
              art={
                <button type="button" className={styles.drop} onClick={choose}>
                  <IconUpload size={32} stroke={1.3} aria-hidden />
                  <b>Drop images here</b>
                  <span>TIFF, PNG or JPEG, 8 or 16 bit</span>
                </button>
              }
              foot={
                <Button size="md" onClick={choose}>
                  Choose files
                </Button>
              }
            />
            <Step
              number={2}
              title="The model draws the cells"
              text="Starts by itself after upload, a few seconds per image. Unsure cells turn amber."
              art={<img src={drawing} alt="" />}
              foot={
                <>
                  <IconSparkles size={16} stroke={1.5} color="var(--accent)" aria-hidden />
                  {model ? `Model ${model} is ready` : "The model that comes with CellLoop starts"}
                </>
              }
            />
            <Step
              number={3}
              title="Fix and submit"
              text="Drag a box to add a cell. Click one to change it. Then submit and the next image opens."
              art={<img src={fixing} alt="" />}
              foot={
                <>
                  <kbd>S</kbd> Smart box <kbd>E</kbd> Erase <kbd>Ctrl Enter</kbd> Submit
                </>
              }
            />
          </ol>
        )}
      </FileChooser>
      <p className={styles.alternatives}>
        {projectId !== null && (
          <span>
            Working with a team? <Link href={`/projects/${projectId}/people`}>Add people</Link>
          </span>
        )}
        {children}
      </p>
    </main>
  );
}
