import { defineConfig } from "vite";

export default defineConfig({
  server: {
    host: "127.0.0.1",
    port: Number(process.env.PORT ?? 8003),
    strictPort: true,
    // The API is on the page's own origin, so its calls need no CORS. In production, the web server does the same.
    proxy: { "/api/": { target: process.env.RESOURCE_SERVER, rewrite: (path) => path.replace(/^\/api/, "") } },
  },
});
