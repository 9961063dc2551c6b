// Only what the console draws of Chart.js, in a file of its own.
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";
import type { Series } from "./chart";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

export function draw(canvas: HTMLCanvasElement, series: Series, isAcross: boolean): Chart {
  // A variable may be light-dark(…), which only a computed color resolves.
  const color = (name: string) => {
    canvas.style.color = `var(${name})`;
    return getComputedStyle(canvas).color;
  };
  const ticks = { color: color("--quiet"), precision: 0, maxRotation: 0, autoSkipPadding: 12, font: { size: 12 } };
  const along = { grid: { display: false }, ticks, border: { color: color("--line") } };
  const amount = { beginAtZero: true, grid: { color: color("--line") }, ticks, border: { display: false } };
  return new Chart(canvas, {
    type: "bar",
    data: {
      labels: series.labels,
      datasets: [
        {
          label: series.name,
          data: series.values,
          backgroundColor: color("--accent"),
          borderRadius: 2,
          maxBarThickness: 36,
        },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      locale: navigator.language,
      indexAxis: isAcross ? "y" : "x",
      scales: isAcross ? { x: amount, y: along } : { x: along, y: amount },
    },
  });
}
