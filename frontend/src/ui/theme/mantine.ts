/** Mantine wears our tokens: the library's variables are pointed at ours, once, here. */
import {
  ActionIcon,
  Button,
  createTheme,
  Menu,
  Modal,
  NumberInput,
  PasswordInput,
  Select,
  TextInput,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e3fff7", "#c8f9ec", "#a0f2dc", "#7cebcd", "#64e8c5", "#3fe0b5", "#3fe0b5", "#2fb591", "#1d8a6d", "#0a5c47",
];
const red: MantineColorsTuple = [
  "#ffecea", "#ffd3d0", "#ffb4ae", "#ff958d", "#ff7a70", "#ff7a70", "#c93b33", "#b1322b", "#8f2721", "#6b1c18",
];
const dark: MantineColorsTuple = [
  "#e8ecf0", "#aab4bf", "#8793a0", "#6b7683", "#282e36", "#1e2329", "#161a1f", "#101317", "#0a0c0f", "#000000",
];

const field = { size: "sm" } as const;

export const theme = createTheme({
  colors: { accent, red, dark },
  primaryColor: "accent",
  primaryShade: 5,
  autoContrast: true,
  black: "#04231a",
  white: "#e8ecf0",
  fontFamily: "var(--ui)",
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "11px", sm: "13px", md: "13px", lg: "15px", xl: "22px" },
  lineHeights: { xs: "16px", sm: "18px", md: "18px", lg: "20px", xl: "28px" },
  radius: { xs: "4px", sm: "6px", md: "8px", lg: "12px", xl: "16px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "20px", xl: "24px" },
  defaultRadius: "sm",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: "sm", variant: "filled" }, classNames: { root: "cl-button" } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray", size: 28 }, classNames: { root: "cl-icon-button" } }),
    TextInput: TextInput.extend({ defaultProps: field }),
    PasswordInput: PasswordInput.extend({ defaultProps: field }),
    NumberInput: NumberInput.extend({ defaultProps: field }),
    Select: Select.extend({ defaultProps: { ...field, comboboxProps: { shadow: "md" } } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", radius: "md", transitionProps: { duration: 100 }, withInitialFocusPlaceholder: false } }),
    // A dialog has the keys for as long as it is there: one that is closed must not linger.
    Modal: Modal.extend({ defaultProps: { centered: true, radius: "lg", overlayProps: { backgroundOpacity: 0.6 }, transitionProps: { transition: "fade-down", duration: 200, exitDuration: 0 } } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400, radius: "md", transitionProps: { duration: 80 }, events: { hover: true, focus: true, touch: false } } }),
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    "--mantine-shadow-md": "var(--e-2)",
    "--mantine-shadow-sm": "var(--e-1)",
    "--mantine-scale": "1",
  },
  light: {},
  dark: {
    "--mantine-color-body": "var(--bg-0)",
    "--mantine-color-text": "var(--text-1)",
    "--mantine-color-dimmed": "var(--text-2)",
    "--mantine-color-anchor": "var(--accent)",
    "--mantine-color-error": "var(--red)",
    "--mantine-color-placeholder": "var(--text-3)",
    "--mantine-color-default": "var(--bg-3)",
    "--mantine-color-default-hover": "var(--bg-4)",
    "--mantine-color-default-color": "var(--text-1)",
    "--mantine-color-default-border": "rgba(255, 255, 255, 0.07)",
    "--mantine-color-disabled": "var(--bg-2)",
    "--mantine-color-disabled-color": "var(--text-3)",
    "--mantine-color-disabled-border": "var(--line)",
    "--mantine-primary-color-contrast": "var(--accent-ink)",
  },
});
