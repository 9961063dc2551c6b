// Charts by Chart.js, which is loaded before the first one is drawn.
import { useEffect, useRef } from "preact/hooks";
import { number } from "./format";

export type Series = { labels: string[]; values: number[]; name: string };

/** Columns by day, or bars where `isAcross`. A table for those who do not see it is inside. */
export function Chart({ series, isAcross, label }: { series: Series; isAcross?: boolean; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const about = JSON.stringify(series);
  useEffect(() => {
    let isGone = false;
    let end = () => {};
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = async () => {
      const { draw } = await import("./draw");
      if (isGone || !canvas.current) return;
      end();
      const drawn = draw(canvas.current, series, Boolean(isAcross));
      end = () => drawn.destroy();
    };
    void draw();
    dark.addEventListener("change", draw);
    return () => {
      isGone = true;
      dark.removeEventListener("change", draw);
      end();
    };
  }, [about, isAcross]);
  return (
    <figure class="chart">
      <div class="canvas">
        <canvas ref={canvas} role="img" aria-label={label} />
      </div>
      <div class="hidden">
      <table>
        <caption>{label}</caption>
        <tbody>
          {series.labels.map((name, i) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{number(series.values[i] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      </div>
    </figure>
  );
}
