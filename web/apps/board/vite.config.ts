import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env.CALLOUT_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  // MapLibre's worker is an ES module: bundled into a file of ours, so a policy of `worker-src 'self'` is enough.
  worker: { format: "es" },
  build: {
    target: "es2023",
    chunkSizeWarningLimit: 1200, // MapLibre alone is a megabyte; it loads after the sign-in page
    assetsInlineLimit: 0, // a data: URL would need a looser content security policy
  },
  server: { proxy: { "/api": { target: api, changeOrigin: false } } },
});
