// Draws the table of orders by status as stacked bars. The table stays: it is what is read aloud.
'use strict';

(() => {
  const table = document.getElementById('orders-table');
  const canvas = document.getElementById('orders-chart');
  if (!table || !canvas) return;

  const COLORS = {
    created: '#94a3b8', paid: '#38bdf8', fulfilling: '#2563eb', out_stock: '#7c3aed', delivering: '#c084fc',
    signed: '#16a34a', refused: '#ea580c', canceled: '#fbbf24', invalid: '#dc2626',
  };
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const ink = dark ? '#cbd5e1' : '#475569';
  const grid = dark ? '#334155' : '#e2e8f0';

  const heads = [...table.querySelectorAll('th[data-status]')];
  const rows = [...table.tBodies[0].rows];
  const times = rows.map((row) => row.querySelector('time').textContent);
  const sameDay = times.every((time) => time.slice(0, 10) === times[0].slice(0, 10));
  const midnight = times.every((time) => time.slice(11, 16) === '00:00');
  const labels = times.map((time) => (midnight ? time.slice(5, 10) : sameDay ? time.slice(11, 16) : time.slice(5, 16)));

  new Chart(canvas, {
    type: 'bar',
    data: {
      labels,
      datasets: heads.map((head, i) => ({
        label: head.textContent,
        data: rows.map((row) => Number(row.querySelectorAll('td[data-value]')[i].dataset.value)),
        backgroundColor: COLORS[head.dataset.status] ?? '#64748b',
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      plugins: { legend: { position: 'bottom', labels: { boxWidth: 12, boxHeight: 12, color: ink } } },
      scales: {
        x: { stacked: true, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 16 }, grid: { display: false } },
        y: { stacked: true, beginAtZero: true, ticks: { color: ink, precision: 0 }, grid: { color: grid } },
      },
    },
  });
})();
