import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

// One file with script and style inside: it opens from disk, offline, in any browser.
export default defineConfig({
  plugins: [viteSingleFile({ removeViteModuleLoader: true })],
  build: { target: "es2020", modulePreload: false, reportCompressedSize: false },
});
