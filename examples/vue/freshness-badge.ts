import type { Freshness } from "@openscan/client-sdk";
import { defineComponent, type PropType } from "vue";
import { freshnessText } from "../web/scanner.js";

export const FreshnessBadge = defineComponent({
  props: { freshness: { type: Object as PropType<Freshness>, required: true } },
  setup: () => ({ freshnessText }),
  template: `<span class="freshness" :class="freshness.status">{{ freshnessText(freshness) }}</span>`,
});
