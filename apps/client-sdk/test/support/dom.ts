import { GlobalRegistrator } from "@happy-dom/global-registrator";

// To be imported before react-dom, which looks for a page when it is loaded.
GlobalRegistrator.register({ url: "http://page.test/" });
(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
