namespace Runsc;

/// <summary>Text that came from a sandbox, made fit for a terminal: names of processes and messages may hold anything.</summary>
internal static class PrintableText
{
    /// <summary>Replaces control characters, among them the start of escape sequences, by question marks.</summary>
    public static string Clean(string text)
    {
        foreach (char c in text)
        {
            if (char.IsControl(c))
            {
                return string.Create(text.Length, text, static (clean, source) =>
                {
                    for (int i = 0; i < clean.Length; i++)
                    {
                        clean[i] = char.IsControl(source[i]) ? '?' : source[i];
                    }
                });
            }
        }

        return text;
    }
}
