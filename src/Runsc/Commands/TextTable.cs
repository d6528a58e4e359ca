namespace Runsc.Commands;

/// <summary>Columns that line up.</summary>
internal static class TextTable
{
    private const int MinGap = 3;
    private const int MinWidth = 12;

    /// <summary>Writes rows; the first is the head.</summary>
    public static void Write(TextWriter writer, IReadOnlyList<string[]> rows)
    {
        int columns = rows[0].Length;
        int[] widths = new int[columns];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < columns; i++)
            {
                widths[i] = Math.Max(widths[i], Math.Max(MinWidth, row[i].Length + MinGap));
            }
        }

        foreach (string[] row in rows)
        {
            for (int i = 0; i < columns; i++)
            {
                string cell = PrintableText.Clean(row[i]);
                writer.Write(i == columns - 1 ? cell : cell.PadRight(widths[i]));
            }

            writer.Write('\n');
        }
    }
}
