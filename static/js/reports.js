// Draws the charts of reports. Data stands in the page as JSON; without this file the tables say the same.
(() => {
  const root = document.documentElement;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let onPaper = false;
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (text, width) => {
    const most = width < 500 ? 20 : 44;
    return text.length > most ? `${text.slice(0, most / 2)}…${text.slice(1 - most / 2)}` : text;
  };
  // A long label of words stands in two lines, broken at the blank nearest to its middle.
  const lines = (text, width) => {
    const blanks = [...text.matchAll(/ /g)].map((found) => found.index);
    if (short(text, width) === text || !blanks.length) return short(text, width);
    const far = (at) => Math.abs(at - text.length / 2);
    const at = blanks.reduce((best, one) => (far(one) < far(best) ? one : best));
    return [short(text.slice(0, at), width), short(text.slice(at + 1), width)];
  };

  // The first series is filled, the second hatched: no colour has to be told apart.
  const paint = (index) => {
    const colour = style(`--chart-${index + 1}`);
    if (index === 0) return colour;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    for (const shift of [-6, 0, 6]) {
      pen.beginPath();
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  };

  // Numbers stand at their bars: at each one that lies, else at the tallest of each series.
  const numbers = {
    id: "numbers",
    afterDatasetsDraw(chart) {
      const pen = chart.ctx;
      const lying = chart.options.indexAxis === "y";
      pen.save();
      pen.fillStyle = style("--chart-text");
      pen.font = "600 12px system-ui, sans-serif";
      pen.textAlign = lying ? "left" : "center";
      pen.textBaseline = lying ? "middle" : "bottom";
      chart.data.datasets.forEach((set, index) => {
        const most = Math.max(...set.data);
        const tallest = set.data.lastIndexOf(most);
        chart.getDatasetMeta(index).data.forEach((bar, at) => {
          if (!set.data[at] || (!lying && at !== tallest)) return;
          const text = set.data[at].toLocaleString(document.documentElement.lang);
          pen.fillText(text, lying ? bar.x + 4 : Math.min(Math.max(bar.x, 14), chart.width - 14), lying ? bar.y : bar.y - 2);
        });
      });
      pen.restore();
    },
  };

  const options = (spec) => {
    const text = style("--chart-text");
    const line = style("--bs-border-color");
    const values = { beginAtZero: true, grace: spec.lying ? "12%" : "8%", grid: { color: line }, border: { display: false }, ticks: { color: text, precision: 0, maxTicksLimit: 5 } };
    const names = { grid: { display: false }, ticks: { color: text, maxRotation: 0, autoSkip: !spec.lying, autoSkipPadding: 12, callback: (_value, at) => lines(spec.labels[at], innerWidth) } };
    return {
      indexAxis: spec.lying ? "y" : "x",
      maintainAspectRatio: false,
      animation: still.matches || onPaper ? false : { duration: 300 },
      scales: spec.lying ? { x: values, y: names } : { x: names, y: values },
      plugins: { legend: { display: spec.series.length > 1, align: "start", onClick: null, labels: { color: text, boxWidth: 14, boxHeight: 14 } } },
    };
  };

  const sets = (spec) =>
    spec.series.map((one, index) => ({
      label: one.name,
      data: one.values,
      backgroundColor: paint(index),
      borderColor: style(`--chart-${index + 1}`),
      borderWidth: 1,
      borderRadius: 2,
      maxBarThickness: 26,
    }));

  const draw = (canvas) => {
    const spec = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const place = canvas.parentElement;
    place.hidden = false;
    place.style.width = onPaper ? "660px" : "";
    place.style.height = spec.lying ? `${spec.labels.length * (spec.series.length > 1 ? 44 : 30) + 70}px` : "17rem";
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, { type: "bar", data: { labels: spec.labels, datasets: sets(spec) }, options: options(spec), plugins: [numbers] });
  };

  const drawAll = (within = document) => within.querySelectorAll("canvas[data-chart]").forEach(draw);
  drawAll();
  for (const table of document.querySelectorAll(".report-table")) {
    if (table.closest(".report").querySelector("canvas")) table.open = false;
  }
  document.addEventListener("htmx:afterSwap", (event) => drawAll(event.detail.target));
  new MutationObserver(() => drawAll()).observe(root, { attributeFilter: ["data-bs-theme"] });
  // On paper every table is open, and the charts are as wide as a page and made for white; afterwards all is as before.
  let theme;
  let closed = [];
  addEventListener("beforeprint", () => {
    theme = root.dataset.bsTheme;
    closed = [...document.querySelectorAll(".report-table:not([open])")];
    for (const table of closed) table.open = true;
    onPaper = true;
    root.dataset.bsTheme = "light";
    drawAll();
  });
  addEventListener("afterprint", () => {
    for (const table of closed) table.open = false;
    onPaper = false;
    root.dataset.bsTheme = theme;
    drawAll();
  });
})();
