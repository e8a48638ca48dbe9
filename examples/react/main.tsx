import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { DevicePanel } from "./device-panel.js";
import { PhotosPanel } from "./photos-panel.js";
import { TasksPanel } from "./tasks-panel.js";

function Page() {
  const [shown, setShown] = useState(true);
  return (
    <>
      <header>
        <h1>OpenScan with React</h1>
        <button type="button" onClick={() => setShown(!shown)}>
          {shown ? "Unmount" : "Mount"}
        </button>
      </header>
      {shown && (
        <main>
          <DevicePanel />
          <TasksPanel />
          <PhotosPanel />
        </main>
      )}
    </>
  );
}

const root = document.getElementById("app");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
