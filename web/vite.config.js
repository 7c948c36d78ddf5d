import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// One built folder that the program serves by itself: relative to its root, nothing from elsewhere.
export default defineConfig({
  base: '/',
  resolve: { alias: { xmlbuilder2: fileURLToPath(new URL('src/viewer/no_xml.ts', import.meta.url)) } },
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,            // the server's content policy allows no data: scripts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 6000,
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
});
