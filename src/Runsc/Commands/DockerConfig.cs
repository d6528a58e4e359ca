using System.Text.Json;
using System.Text.Json.Nodes;
using Moat.Host;
using Moat.Runtime;

namespace Runsc.Commands;

/// <summary>Docker's daemon.json: adds and removes a runtime and keeps everything else. The file as it was before the first change is kept beside it with the ending .bak.</summary>
internal sealed class DockerConfig
{
    private readonly string _path;
    private readonly JsonObject _document;

    private DockerConfig(string path, JsonObject document)
    {
        _path = path;
        _document = document;
    }

    /// <summary>Reads the file; one that does not exist is empty.</summary>
    public static DockerConfig Load(string path)
    {
        if (!File.Exists(path))
        {
            return new DockerConfig(path, []);
        }

        try
        {
            string text = File.ReadAllText(path);
            return JsonNode.Parse(text.Trim().Length == 0 ? "{}" : text) is JsonObject document ? new DockerConfig(path, document) : throw new RuntimeException($"{path}: must be an object");
        }
        catch (JsonException e)
        {
            throw new RuntimeException($"{path}: is not valid JSON (line {e.LineNumber + 1})", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot read {path}: {HostFault.Describe(e)}", e);
        }
    }

    /// <summary>A runtime's path and arguments in words; null if there is none.</summary>
    public string? Describe(string name)
    {
        if (Runtimes()[name] is not { } runtime)
        {
            return null;
        }

        string path = (runtime as JsonObject)?["path"]?.ToString() ?? "no path";
        string[] arguments = (runtime as JsonObject)?["runtimeArgs"] is JsonArray array ? [.. array.Select(static argument => argument?.ToString() ?? "")] : [];
        return arguments.Length == 0 ? $"path {path}" : $"path {path} and arguments {string.Join(' ', arguments)}";
    }

    /// <summary>Adds a runtime.</summary>
    /// <param name="name">Its name in Docker.</param>
    /// <param name="program">The executable's path.</param>
    /// <param name="arguments">Flags that Docker passes.</param>
    /// <param name="replace">Whether one with the name may be replaced.</param>
    public void AddRuntime(string name, string program, IReadOnlyList<string> arguments, bool replace)
    {
        JsonObject runtimes = Runtimes();
        if (runtimes.ContainsKey(name) && !replace)
        {
            throw new RuntimeException($"{_path}: there is a runtime with the name {name} already");
        }

        JsonObject runtime = new() { ["path"] = program };
        if (arguments.Count > 0)
        {
            runtime["runtimeArgs"] = new JsonArray([.. arguments.Select(static argument => (JsonNode)argument)]);
        }

        runtimes[name] = runtime;
    }

    /// <summary>Removes a runtime.</summary>
    public void RemoveRuntime(string name)
    {
        JsonObject runtimes = Runtimes();
        if (!runtimes.Remove(name))
        {
            throw new RuntimeException($"{_path}: there is no runtime with the name {name}");
        }

        if (runtimes.Count == 0)
        {
            _document.Remove("runtimes");
        }
    }

    /// <summary>Writes the file in one step; the old one is copied before, unless there is a copy from an earlier change.</summary>
    /// <exception cref="RuntimeException">The host refuses.</exception>
    public void Save()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            string target = File.Exists(_path) && File.ResolveLinkTarget(_path, returnFinalTarget: true) is { } linked ? linked.FullName : _path;
            string backup = _path + ".bak";
            string temporary = target + ".new";
            if (File.Exists(target))
            {
                if (!File.Exists(backup))
                {
                    File.Copy(target, backup);
                }

                File.Copy(target, temporary, overwrite: true); // for its mode
            }

            File.WriteAllText(temporary, Text() + "\n");
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeException($"cannot write {_path}: {HostFault.Describe(e)}", e);
        }
    }

    private string Text()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            _document.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private JsonObject Runtimes()
    {
        if (_document["runtimes"] is null)
        {
            _document["runtimes"] = new JsonObject();
        }

        return _document["runtimes"] as JsonObject ?? throw new RuntimeException($"{_path}: runtimes: must be an object");
    }
}
