import { useDevice } from "@openscan/client-sdk/react";
import type { DeviceStatus, LightStatus, MotorStatus } from "@openscan/protocol";
import { useState } from "react";
import { scanner } from "../web/scanner.js";
import { FreshnessBadge } from "./freshness-badge.js";

/** Runs a command and reports its failure, such as a motor that is busy. */
type Command = (command: () => Promise<unknown>) => void;

export function DevicePanel() {
  const { state: device, freshness } = useDevice(scanner);
  const [error, setError] = useState("");
  const run: Command = (command) => {
    setError("");
    command().catch((failure: unknown) => setError(String(failure)));
  };
  return (
    <section id="device">
      <h2>
        {device?.name ?? "Scanner"} <FreshnessBadge freshness={freshness} />
      </h2>
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      <div className="content">
        {device ? <Parts device={device} run={run} /> : <NoDevice device={device} />}
      </div>
    </section>
  );
}

function NoDevice({ device }: { readonly device: null | undefined }) {
  return (
    <p className="quiet">
      {device === null ? "The scanner has no configuration yet." : "Nothing known yet."}
    </p>
  );
}

function Parts({ device, run }: { readonly device: DeviceStatus; readonly run: Command }) {
  return (
    <>
      <h3>Motors</h3>
      <div className="parts">
        {Object.values(device.motors).map((motor) => (
          <Motor key={motor.name} motor={motor} run={run} />
        ))}
      </div>
      <h3>Lights</h3>
      <div className="parts">
        {Object.values(device.lights).map((light) => (
          <Light key={light.name} light={light} run={run} />
        ))}
      </div>
      <h3>Cameras</h3>
      <ul>
        {Object.values(device.cameras).map(({ name, busy }) => (
          <li key={name} className="camera">
            {name} <span className="quiet">{busy ? "takes a photo" : "ready"}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Motor({ motor, run }: { readonly motor: MotorStatus; readonly run: Command }) {
  const { name, angle, busy, target_angle: target } = motor;
  const turn = (degrees: number) =>
    run(() =>
      scanner.request("PATCH /motors/{motor_name}/angle", {
        params: { motor_name: name },
        body: { degrees },
      }),
    );
  return (
    <div className="motor" data-motor={name}>
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="46" />
        <line x1="50" y1="50" x2="50" y2="12" style={{ transform: `rotate(${angle}deg)` }} />
      </svg>
      <output>{angle.toFixed(1)}°</output>
      <p>
        {name}, {busy ? `moves to ${target?.toFixed(1) ?? "?"}°` : "at rest"}
      </p>
      <button type="button" disabled={busy} onClick={() => turn(-15)}>
        −15°
      </button>
      <button type="button" disabled={busy} onClick={() => turn(15)}>
        +15°
      </button>
    </div>
  );
}

function Light({ light, run }: { readonly light: LightStatus; readonly run: Command }) {
  const { name, is_on: isOn } = light;
  const toggle = () =>
    run(() => scanner.request("PATCH /lights/{light_name}/toggle", { params: { light_name: name } }));
  return (
    <button type="button" className={isOn ? "light on" : "light"} data-light={name} onClick={toggle}>
      {name} is {isOn ? "on" : "off"}
    </button>
  );
}
