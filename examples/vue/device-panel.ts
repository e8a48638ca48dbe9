import { useDevice } from "@openscan/client-sdk/vue";
import { computed, defineComponent, ref } from "vue";
import { scanner } from "../web/scanner.js";
import { FreshnessBadge } from "./freshness-badge.js";

export const DevicePanel = defineComponent({
  components: { FreshnessBadge },
  setup() {
    const view = useDevice(scanner);
    const error = ref("");
    /** Runs a command and reports its failure, such as a motor that is busy. */
    const run = async (command: Promise<unknown>) => {
      error.value = "";
      await command.catch((failure: unknown) => {
        error.value = String(failure);
      });
    };
    return {
      device: computed(() => view.value.state),
      freshness: computed(() => view.value.freshness),
      error,
      turn: (motor_name: string, degrees: number) =>
        run(
          scanner.request("PATCH /motors/{motor_name}/angle", { params: { motor_name }, body: { degrees } }),
        ),
      toggle: (light_name: string) =>
        run(scanner.request("PATCH /lights/{light_name}/toggle", { params: { light_name } })),
    };
  },
  template: `
    <section id="device">
      <h2>{{ device?.name ?? "Scanner" }} <FreshnessBadge :freshness="freshness" /></h2>
      <p v-if="error" class="error" role="alert">{{ error }}</p>
      <div class="content">
        <template v-if="device">
          <h3>Motors</h3>
          <div class="parts">
            <div v-for="motor in device.motors" :key="motor.name" class="motor" :data-motor="motor.name">
              <svg viewBox="0 0 100 100" aria-hidden="true">
                <circle cx="50" cy="50" r="46" />
                <line x1="50" y1="50" x2="50" y2="12" :style="{ transform: 'rotate(' + motor.angle + 'deg)' }" />
              </svg>
              <output>{{ motor.angle.toFixed(1) }}°</output>
              <p>{{ motor.name }}, {{ motor.busy ? "moves to " + (motor.target_angle?.toFixed(1) ?? "?") + "°" : "at rest" }}</p>
              <button :disabled="motor.busy" @click="turn(motor.name, -15)">−15°</button>
              <button :disabled="motor.busy" @click="turn(motor.name, 15)">+15°</button>
            </div>
          </div>
          <h3>Lights</h3>
          <div class="parts">
            <button
              v-for="light in device.lights" :key="light.name" class="light" :class="{ on: light.is_on }"
              :data-light="light.name" @click="toggle(light.name)"
            >{{ light.name }} is {{ light.is_on ? "on" : "off" }}</button>
          </div>
          <h3>Cameras</h3>
          <ul>
            <li v-for="camera in device.cameras" :key="camera.name" class="camera">
              {{ camera.name }} <span class="quiet">{{ camera.busy ? "takes a photo" : "ready" }}</span>
            </li>
          </ul>
        </template>
        <p v-else class="quiet">{{ device === null ? "The scanner has no configuration yet." : "Nothing known yet." }}</p>
      </div>
    </section>
  `,
});
