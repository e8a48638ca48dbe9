import { useTasks } from "@openscan/client-sdk/react";
import type { Task } from "@openscan/protocol";
import { scanner } from "../web/scanner.js";
import { FreshnessBadge } from "./freshness-badge.js";

const SHOWN = 5;

export function TasksPanel() {
  const { state: tasks = [], freshness } = useTasks(scanner);
  return (
    <section id="tasks">
      <h2>
        Tasks <FreshnessBadge freshness={freshness} />
      </h2>
      <ul className="content">
        {tasks
          .slice(-SHOWN)
          .reverse()
          .map((task) => (
            <TaskItem key={task.id} task={task} />
          ))}
        {tasks.length === 0 && <li className="quiet">none</li>}
      </ul>
    </section>
  );
}

function TaskItem({ task: { id, name, status, progress, error } }: { readonly task: Task }) {
  return (
    <li className="task" data-task={id}>
      <div>
        <b>{name}</b> <span className={`status ${status}`}>{status}</span>
      </div>
      <progress value={progress.current} max={progress.total || 1} />
      <p>
        {progress.current}/{progress.total} {error ?? progress.message}
      </p>
    </li>
  );
}
