import type { TaskEvent } from "@openscan/client-sdk";
import { useStreamEvent } from "@openscan/client-sdk/vue";
import { defineComponent, shallowRef } from "vue";
import { scanner } from "../web/scanner.js";

type Photo = Extract<TaskEvent, { type: "photo.captured" }>;
const SHOWN = 12;

/** The photos that were captured while the panel is on the page. */
export const PhotosPanel = defineComponent({
  setup() {
    const photos = shallowRef<readonly Photo[]>([]);
    useStreamEvent(scanner.tasks, "photo.captured", (photo) => {
      photos.value = [photo, ...photos.value].slice(0, SHOWN);
    });
    return { photos, source: ({ url }: Photo) => scanner.rest.url(url) };
  },
  template: `
    <section id="photos" class="wide">
      <h2>New photos</h2>
      <p v-if="photos.length === 0" class="quiet">They arrive here while a scan runs.</p>
      <div class="photos">
        <figure v-for="photo in photos" :key="photo.url">
          <img :src="source(photo)" :alt="photo.file">
          <figcaption>{{ photo.file }}</figcaption>
        </figure>
      </div>
    </section>
  `,
});
