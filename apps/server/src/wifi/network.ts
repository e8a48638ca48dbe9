import { ScanError } from "@openscan/protocol";
import type { WifiNetwork } from "./wifi-code.js";

/** What the QR scan needs of the machine's network. */
export interface Network {
  /**
   * Whether the machine is connected with anything but itself.
   *
   * @throws ScanError `unsupported` saying why that cannot be known, nor a network be joined
   */
  isUp(signal?: AbortSignal): Promise<boolean>;
  /**
   * Connects with a Wi-Fi network, now and after each start. One that was joined before stays known when it fails.
   *
   * @returns what the system said, without the password
   * @throws ScanError saying what went wrong, without the password
   */
  join(network: WifiNetwork, signal?: AbortSignal): Promise<string>;
}

const notOurs = async () => {
  throw new ScanError("unsupported", "this server has no access to the network's settings");
};

/** For servers that are not to touch the machine's network, as in tests. */
export const noNetwork: Network = { isUp: notOurs, join: notOurs };
