import { useTasks } from "@openscan/client-sdk/vue";
import { computed, defineComponent } from "vue";
import { scanner } from "../web/scanner.js";
import { FreshnessBadge } from "./freshness-badge.js";

const SHOWN = 5;

export const TasksPanel = defineComponent({
  components: { FreshnessBadge },
  setup() {
    const view = useTasks(scanner);
    return {
      newest: computed(() => (view.value.state ?? []).slice(-SHOWN).reverse()),
      freshness: computed(() => view.value.freshness),
    };
  },
  template: `
    <section id="tasks">
      <h2>Tasks <FreshnessBadge :freshness="freshness" /></h2>
      <ul class="content">
        <li v-for="{ id, name, status, progress, error } in newest" :key="id" class="task" :data-task="id">
          <div><b>{{ name }}</b> <span class="status" :class="status">{{ status }}</span></div>
          <progress :value="progress.current" :max="progress.total || 1" />
          <p>{{ progress.current }}/{{ progress.total }} {{ error ?? progress.message }}</p>
        </li>
        <li v-if="newest.length === 0" class="quiet">none</li>
      </ul>
    </section>
  `,
});
