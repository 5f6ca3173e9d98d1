'use strict';

// Draws the diagrams. mermaid is large, so only a page that has one loads it; and a change of the theme draws again.
(() => {
    const blocks = Array.from(document.querySelectorAll('pre.mermaid'));
    if (blocks.length === 0) {
        return;
    }
    // A diagram is shrunk to this share of its size; then its text would be too small, and it scrolls in its own box.
    const READABLE = 0.6;
    const dark = () => ['navy', 'coal', 'ayu'].some(theme => document.documentElement.classList.contains(theme));
    const diagrams = blocks.map((block, i) => {
        const box = document.createElement('div');
        box.className = 'diagram';
        block.after(box);
        return { id: `diagram-${i}`, source: block.textContent, block, box };
    });

    const draw = async () => {
        window.mermaid.initialize({
            startOnLoad: false,
            theme: dark() ? 'dark' : 'neutral',
            fontFamily: '"Open Sans", sans-serif',
            fontSize: 14,
            flowchart: { wrappingWidth: 460 },
            // Eight taking part still fit on a desk.
            sequence: { actorMargin: 14, width: 104, wrap: true, mirrorActors: false },
        });
        // What a text is measured with must be what it is shown with.
        await document.fonts.load('14px "Open Sans"');
        for (const { id, source, block, box } of diagrams) {
            try {
                const { svg } = await window.mermaid.render(id, source);
                box.innerHTML = svg;
                const drawn = box.querySelector('svg');
                drawn.style.minWidth = `${Math.round(drawn.viewBox.baseVal.width * READABLE)}px`;
                block.hidden = true;
            } catch (error) {
                // The text stays readable; the browser check looks for this line.
                block.hidden = false;
                console.error(`${id}: ${error.message}`);
            }
        }
    };

    const script = document.createElement('script');
    // eslint-disable-next-line no-undef
    script.src = `${path_to_root}mermaid.min.js`;
    script.addEventListener('load', () => {
        let drawnDark = dark();
        let drawing = draw();
        new MutationObserver(() => {
            if (dark() !== drawnDark) {
                drawnDark = dark();
                drawing = drawing.then(draw);
            }
        }).observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
    });
    document.head.append(script);
})();
