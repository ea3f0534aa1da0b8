import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./ui/theme/tokens.css";
import "./ui/theme/base.css";
import "./ui/theme/mantine.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./ui/App";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root element");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
