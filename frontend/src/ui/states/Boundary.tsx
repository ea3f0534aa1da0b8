import { Component, type ErrorInfo, type ReactNode } from "react";

import { messageOf } from "../../api/errors";
import { Notice } from "./Notice";

interface Props {
  children: ReactNode;
}

/** The last net: a page that throws while drawing shows words instead of a blank window. */
export class Boundary extends Component<Props, { failure: unknown }> {
  override state: { failure: unknown } = { failure: null };

  static getDerivedStateFromError(failure: unknown) {
    return { failure };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    reportError(new Error(`${messageOf(error)}\n${info.componentStack ?? ""}`, { cause: error }));
  }

  override render() {
    if (this.state.failure === null) return this.props.children;
    return (
      <Notice
        tone="error"
        title="This page stopped working"
        detail={`${messageOf(this.state.failure)} What the server has confirmed is safe.`}
        action={{ label: "Load the page again", run: () => window.location.reload() }}
      />
    );
  }
}
