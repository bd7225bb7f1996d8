import { createTheme, type MantineColorsTuple } from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e9f5f4",
  "#d3e9e7",
  "#a8d4d0",
  "#79beb8",
  "#4fa69f",
  "#2b8f88",
  "#157b75",
  "#0b6b66",
  "#08544f",
  "#053d3a",
];

export const theme = createTheme({
  colors: { accent },
  primaryColor: "accent",
  primaryShade: 7,
  defaultRadius: 7,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Mantine locks scrolling with a <style> made at run time; the page itself never scrolls, so nothing needs a lock.
    Modal: {
      defaultProps: {
        lockScroll: false,
        centered: true,
        padding: 20,
        overlayProps: { backgroundOpacity: 0.35, blur: 2 },
      },
    },
    Menu: { defaultProps: { shadow: "md", radius: 9, offset: 6, position: "bottom-end" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, offset: 6 } },
    Button: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { checkIconPosition: "right" } },
  },
});
