using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Moat.Oci;

/// <summary>Reads files of a bundle, with limits, and says in one line what is wrong with them.</summary>
public static class BundleLoader
{
    /// <summary>The largest configuration that is read, in bytes.</summary>
    public const int MaxBytes = 8 << 20;

    /// <summary>Reads and validates <c>config.json</c> of a bundle.</summary>
    public static Checked<OciSpec> Load(string bundle)
    {
        Checked<OciSpec> read = ReadFile(Path.Combine(bundle, "config.json"), "config.json", OciJson.Default.OciSpec);
        if (!read.TryGet(out OciSpec? spec, out string? error))
        {
            return read;
        }

        error = SpecValidator.Validate(spec);
        return error is null ? read : Checked<OciSpec>.Fail($"config.json: {error}");
    }

    /// <summary>Reads and validates a process (<c>exec --process</c>).</summary>
    public static Checked<OciProcess> LoadProcess(string path)
    {
        Checked<OciProcess> read = ReadFile(path, path, OciJson.Default.OciProcess);
        if (!read.TryGet(out OciProcess? process, out string? error))
        {
            return read;
        }

        error = SpecValidator.ValidateProcess(process);
        return error is null ? read : Checked<OciProcess>.Fail($"{path}: {error}");
    }

    /// <summary>Reads limits (<c>update --resources</c>).</summary>
    public static Checked<OciResources> LoadResources(string path) => ReadFile(path, path, OciJson.Default.OciResources);

    /// <summary>Parses bytes, naming the member that does not fit.</summary>
    internal static Checked<T> Parse<T>(ReadOnlySpan<byte> json, string name, JsonTypeInfo<T> type)
        where T : class
    {
        if (json.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf]))
        {
            json = json[3..];
        }

        try
        {
            return JsonSerializer.Deserialize(json, type) is { } value ? Checked<T>.Ok(value) : Checked<T>.Fail($"{name}: must be an object");
        }
        catch (JsonException e)
        {
            string where = e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : "";
            string position = $"line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}";
            return Checked<T>.Fail(where.Length > 0 ? $"{name}: {where}: does not have the type that the specification gives it ({position})" : $"{name}: is not valid JSON ({position})");
        }
    }

    private static Checked<T> ReadFile<T>(string path, string name, JsonTypeInfo<T> type)
        where T : class
    {
        byte[] bytes;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            if (file.CanSeek && file.Length > MaxBytes)
            {
                return Checked<T>.Fail($"{name}: is larger than {MaxBytes} bytes");
            }

            bytes = ReadAtMost(file, MaxBytes + 1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Checked<T>.Fail($"{path}: no such file or directory");
        }
        catch (UnauthorizedAccessException)
        {
            return Checked<T>.Fail($"{path}: permission denied or not a file");
        }
        catch (IOException)
        {
            return Checked<T>.Fail($"{path}: cannot be read");
        }

        return bytes.Length > MaxBytes ? Checked<T>.Fail($"{name}: is larger than {MaxBytes} bytes") : Parse(bytes, name, type);
    }

    private static byte[] ReadAtMost(FileStream file, int limit)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[16384];
        int count;
        while (all.Length < limit && (count = file.Read(buffer)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }
}
