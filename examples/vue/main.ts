import { createApp, defineComponent, ref } from "vue";
import { DevicePanel } from "./device-panel.js";
import { PhotosPanel } from "./photos-panel.js";
import { TasksPanel } from "./tasks-panel.js";

const Page = defineComponent({
  components: { DevicePanel, TasksPanel, PhotosPanel },
  setup: () => ({ shown: ref(true) }),
  template: `
    <header>
      <h1>OpenScan with Vue</h1>
      <button @click="shown = !shown">{{ shown ? "Unmount" : "Mount" }}</button>
    </header>
    <main v-if="shown">
      <DevicePanel />
      <TasksPanel />
      <PhotosPanel />
    </main>
  `,
});

createApp(Page).mount("#app");
