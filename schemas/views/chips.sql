-- The register of chips as it stands.
-- chip: chip id
-- name: name
-- vendor: who makes it
-- tpp: total processing performance of one, summed over its integrated circuits
-- h100e: the same in H100 equivalents
-- class: 3A090.a if it counts
-- source: where the figure is from
SELECT chip, name, vendor, tpp, h100e(tpp, figure('h100_equivalent_tpp')) AS h100e, chip_class AS class, source
FROM chip_row
QUALIFY row_number() OVER (PARTITION BY chip ORDER BY leaf DESC) = 1
ORDER BY chip
