import type { TaskEvent } from "@openscan/client-sdk";
import { useStreamEvent } from "@openscan/client-sdk/react";
import { useState } from "react";
import { scanner } from "../web/scanner.js";

type Photo = Extract<TaskEvent, { type: "photo.captured" }>;
const SHOWN = 12;

/** The photos that were captured while the panel is on the page. */
export function PhotosPanel() {
  const [photos, setPhotos] = useState<readonly Photo[]>([]);
  useStreamEvent(scanner.tasks, "photo.captured", (photo) =>
    setPhotos((before) => [photo, ...before].slice(0, SHOWN)),
  );
  return (
    <section id="photos" className="wide">
      <h2>New photos</h2>
      {photos.length === 0 && <p className="quiet">They arrive here while a scan runs.</p>}
      <div className="photos">
        {photos.map((photo) => (
          <figure key={photo.url}>
            <img src={scanner.rest.url(photo.url)} alt={photo.file} />
            <figcaption>{photo.file}</figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}
